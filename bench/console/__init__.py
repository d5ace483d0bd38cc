"""The console where tables are large."""
