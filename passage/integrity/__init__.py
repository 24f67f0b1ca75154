"""What reads the whole log: the gate, verify, repair, backup and the proof of erasure."""
