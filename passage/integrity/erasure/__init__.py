"""Proof that nothing opens what was erased: copies of values and keys, and where they may be."""
