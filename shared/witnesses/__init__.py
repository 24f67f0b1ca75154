"""Checkpoints and their files; they fix the log up to a sequence."""
