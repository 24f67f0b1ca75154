"""nats-servers: how a process proves who it is, what they refuse, and how they store."""
