"""Tests mirror the sources; see CONTRIBUTING.md for the three speeds."""
