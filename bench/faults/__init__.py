"""Faults for a ledger under load: servers killed, frozen and full, replies lost, locks held."""
