"""Tests of what the deciding services have in common."""
