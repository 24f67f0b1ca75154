"""The read models, one file each: the row, and how an event changes it. All pure.

Raise a file's VERSION when its fold changes, so that rows are rebuilt.
"""
