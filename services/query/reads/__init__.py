"""What the API and the pages read; each answer comes from one transaction."""
