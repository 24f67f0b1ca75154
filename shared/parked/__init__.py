"""What could not be processed, and what people did with it."""
