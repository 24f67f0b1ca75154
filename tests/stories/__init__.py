"""The stories of every release: what happens at the hotline goes in, the read model comes out."""
