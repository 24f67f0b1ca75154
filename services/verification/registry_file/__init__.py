"""Registry files as offices have them: recognised, or refused with every wrong line.

Any encoding, separator, header and form of a date that is told apart without guessing is read. What
isn't is named by line and column, with what would do; a value is never repeated.
"""
