"""The verbs of the command line: one file a verb, and what several print or ask."""
