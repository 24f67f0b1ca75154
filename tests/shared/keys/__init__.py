"""Tests of sealing and key files."""
