"""Tests of diagnostics: what is let through, and what never."""
