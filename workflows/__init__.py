"""The business processes: deterministic, one workflow a module."""
