"""The rules of a log's reader, one file a noun; `transitions` puts them together."""
