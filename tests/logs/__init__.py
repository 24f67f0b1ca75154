"""Tests of the log: what it lets through, and what never."""
