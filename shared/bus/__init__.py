"""The one wrapper round FastStream, and what becomes of a delivered message."""
