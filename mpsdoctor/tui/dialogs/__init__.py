"""What opens above the tabs: help, export, write, copy."""
