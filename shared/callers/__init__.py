"""What a caller gave, and how he may be contacted: address, code, contact rule, messages."""
