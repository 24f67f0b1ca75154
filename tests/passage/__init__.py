"""Tests of the command line; those marked wire start a real nats-server."""
