"""The three services' decisions together: a machine of random people, and infiltrators."""
