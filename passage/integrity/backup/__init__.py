"""Backups: one encrypted file of the log, the buckets, the read models and the checkpoints.

taking        copies a running system, in the order that keeps the copy consistent
putting_back  makes an empty server and database what the file says
checking      reads a file to its end and compares it with its manifest
"""
