"""What people write: values parsed as people mean them, zones, and what is wrong with a field."""
