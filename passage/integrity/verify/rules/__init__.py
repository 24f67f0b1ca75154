"""The rules that a reader of the log checks, one file per noun; `transitions` combines them."""
