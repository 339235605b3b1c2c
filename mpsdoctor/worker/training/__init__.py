"""Training sessions in a worker: the workloads, or a person's own step, and what they may set."""
