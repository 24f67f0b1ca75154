"""Follows the log and keeps the read models' tables."""
