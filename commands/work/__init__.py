"""What the commands do: read or start something, and say what came of it."""
