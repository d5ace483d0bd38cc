"""What the page on performance says about each figure."""
