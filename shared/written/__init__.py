"""What people write: values read as they are meant, zones, and what is wrong with a field."""
