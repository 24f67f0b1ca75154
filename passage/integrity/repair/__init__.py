"""The steps of `passage repair`: keep what is there, plan, make the stream anew."""
