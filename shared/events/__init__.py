"""The published language: every event, its envelope, and how stored bytes are read."""
