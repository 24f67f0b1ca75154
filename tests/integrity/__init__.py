"""Whether tampering with the log shows, and what is repaired afterwards."""
