"""The JSON API: one file a noun; every error is problem+json and repeats no value."""
