"""Backups: one encrypted file of the log, the buckets, the read models and the checkpoints."""
