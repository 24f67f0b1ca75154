"""Tests of the whole system, started as a person starts it."""
