"""Tests of the published events."""
