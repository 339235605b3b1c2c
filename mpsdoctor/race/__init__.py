"""Races an unchanged training script on each device: start, steer, take turns, compare, tell."""
