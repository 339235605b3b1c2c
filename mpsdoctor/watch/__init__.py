"""Watches a training: samples of the machine and of its steps, what they come to, and where that is kept."""
