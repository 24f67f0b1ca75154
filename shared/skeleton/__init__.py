"""What every deciding service is built on (ADR 34)."""
