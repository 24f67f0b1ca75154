"""What services know of people: their accounts, roles, keys and signatures."""
