"""Whether a backend of torch.distributed takes tensors of a device: a group of one process, and one sum in it."""

from __future__ import annotations

import os
import tempfile


def reduce_alone(backend: str, device: str) -> bool:
    """True; False where this torch has no such backend. Raises what torch raises, ArithmeticError for a wrong sum."""
    import torch
    import torch.distributed as dist

    known = getattr(dist, f"is_{backend}_available", lambda: backend == "gloo")  # older ones do not tell of gloo
    if not dist.is_available() or not known():
        return False
    descriptor, file = tempfile.mkstemp(prefix="mpsdoctor-group-")
    os.close(descriptor)
    os.unlink(file)  # the store makes it, and takes nothing that is there
    try:
        dist.init_process_group(backend, init_method=f"file://{file}", rank=0, world_size=1)
        try:
            tensor = torch.ones(4, device=device)
            dist.all_reduce(tensor)
            if not bool((tensor.cpu() == 1).all()):
                raise ArithmeticError("the sum of one tensor is another tensor")
        finally:
            dist.destroy_process_group()
    finally:
        if os.path.exists(file):
            os.unlink(file)
    return True
