"""Registry files as offices have them: recognised, or refused with every wrong line.

Reads any encoding, separator, header and date format that can be recognised without guessing.
Anything else is reported by line and column, with what would satisfy it, never with a value.
"""
