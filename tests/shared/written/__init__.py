"""Tests of fields as people write them."""
