"""The only wrapper around FastStream, and what happens to a delivered message."""
