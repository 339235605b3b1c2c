"""Canaries of known issues: small calls that come out wrong where an issue is present. A module a family."""
