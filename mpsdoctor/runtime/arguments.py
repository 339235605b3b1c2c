"""The arguments of `get_optimal_device`: what is of the wrong type is the script's fault, and told at once."""

from __future__ import annotations

import os


def check_arguments(use_gpu: object, force_mps: object, workload: object, profile: object, batch_size: object) -> None:
    """TypeError for a wrong type, ValueError for a batch size that no step has."""
    for name, value in (("use_gpu", use_gpu), ("force_mps", force_mps)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, not {type(value).__name__}")
    if not isinstance(workload, (str, type(None))):
        raise TypeError(f"workload must be a name or None, not {type(workload).__name__}")
    path = os.fspath(profile) if isinstance(profile, os.PathLike) else profile
    if not isinstance(path, (str, type(None))):
        raise TypeError(f"profile must be a path or None, not {type(profile).__name__}")
    if batch_size is None:
        return
    if isinstance(batch_size, bool) or not isinstance(batch_size, int):
        raise TypeError(f"batch_size must be a whole number or None, not {type(batch_size).__name__}")
    if not 1 <= batch_size < 2**63:
        raise ValueError("batch_size must be at least 1 and below 2**63")
