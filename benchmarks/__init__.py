"""What Passage does in a second, measured beside the barest thing that does the same.

`python -m benchmarks` runs all; one file a benchmark. They measure and never fail on a figure.
"""
