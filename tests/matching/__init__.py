"""Tests of matching: one comparison for the registry and for candidates."""
