"""Keys: the key folder, sealing, boxes, keyed hashes, and what the key holder is asked."""
