"""Whole pages in a real browser, with its virtual authenticator."""
