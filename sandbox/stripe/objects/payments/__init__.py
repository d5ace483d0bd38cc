"""Payment intents and their charges, and everything that can happen to a charge afterwards."""
