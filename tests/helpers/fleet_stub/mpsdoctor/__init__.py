"""Stands in for a check-up where a fleet is tested: `python -m mpsdoctor` with this folder on PYTHONPATH."""
