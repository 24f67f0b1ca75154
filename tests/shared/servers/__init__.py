"""Tests of what nats-servers say."""
