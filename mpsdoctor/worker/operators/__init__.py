"""Operator probes in a worker: calls, references, comparison."""
