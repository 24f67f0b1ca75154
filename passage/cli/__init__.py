"""The verbs of the command line: one file per verb, and what several print or ask."""
