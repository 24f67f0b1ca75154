"""Tests of services.keyholder."""
