"""The persistence module for JetStream: the library's own suites, races, faults and limits."""
