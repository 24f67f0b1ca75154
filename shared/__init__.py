"""What every service shares: the published language, the log, the write path and the bus."""
