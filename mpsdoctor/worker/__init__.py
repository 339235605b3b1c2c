"""What runs inside a worker process: standard library and torch only, Python 3.9 and later."""
