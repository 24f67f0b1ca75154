"""What services know of people, and what they sign."""
