"""`python -m package`: torch is imported late."""

from package.training import train

train()
