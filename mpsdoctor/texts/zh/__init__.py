"""Simplified Chinese. What is left out here is told in English."""
