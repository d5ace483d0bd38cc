"""Measures what Duly does in a second, what it costs and how it grows: `make bench`, kept in docs/performance.md."""
