"""The pages: the queue and one case, rendered on the server, without scripts."""
