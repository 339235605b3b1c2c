"""What would train faster on a device: experiments after the timed workloads, and what they tell."""
