"""The people who work here, as every service knows them: folded from their logs, and pure."""
