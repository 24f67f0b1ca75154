"""What operators can ask of a case, and how a service answers: the contract of commands."""
