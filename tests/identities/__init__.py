"""Identities tried against a running server: each cell of the policy, attacks, and fsync."""
