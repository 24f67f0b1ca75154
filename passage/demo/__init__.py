"""The invented cases of `passage demo`: people, stories, and how a story is played."""
