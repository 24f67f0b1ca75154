"""Invented persons whose values must be found nowhere, and what looks for them."""
