"""The console's pages: what console.py serves to people who work with money."""
