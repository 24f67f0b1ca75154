"""Tests of the log and its write path."""
