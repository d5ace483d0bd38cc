"""A million accounts: measured on one machine, and carried from there to ten million by arithmetic."""
