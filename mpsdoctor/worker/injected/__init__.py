"""Runs inside a person's unchanged training script: steers it, and in a race takes turns with the others."""
