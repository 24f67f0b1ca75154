"""The checks of `passage verify`: the log, the index, the archive and the read model."""
