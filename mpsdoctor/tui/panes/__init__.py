"""The six tabs, one a file."""
