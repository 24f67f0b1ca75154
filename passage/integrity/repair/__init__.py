"""The steps of `passage repair`: save what is there, plan, rebuild the stream."""
