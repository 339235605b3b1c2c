"""A person's training step in a worker: the operators that it calls, recorded and replayed."""
