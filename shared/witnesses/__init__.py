"""Checkpoints and the files that they stand in; what fixes the log up to a sequence."""
