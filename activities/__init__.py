"""The outside world: every activity is safe to repeat at any point."""
