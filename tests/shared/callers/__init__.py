"""Tests of what is known and may be said of callers."""
