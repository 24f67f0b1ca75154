"""How long a test waits for what must come: longer than a busy machine stalls, and said only here.

It is a limit and no promise: whoever waits goes on as soon as the condition holds.
"""

WITHIN_S = 240
