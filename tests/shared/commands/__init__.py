"""Tests of the published commands."""
