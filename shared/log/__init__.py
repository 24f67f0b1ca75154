"""The log as services write and read it: a case's events, its fold, and `transact`."""
