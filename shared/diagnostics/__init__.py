"""What processes print about themselves: the catalogue, the forms of values, and the logger."""
