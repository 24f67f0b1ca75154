"""The JSON API: one file per noun; every error is problem+json and repeats no value."""
