"""What `passage up` runs: nats-server, the services as processes, and what watches them."""
