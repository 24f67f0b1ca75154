"""The rules that a reader of the log checks, one file a noun; `transitions` combines them."""
