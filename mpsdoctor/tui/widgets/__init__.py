"""Widgets that several tabs use, one a file."""
