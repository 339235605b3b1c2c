"""A person's own training step as a session of `training`, whose other jobs warm it up and time it.

What the file does wrong while the step is prepared is an answer; later it is an error that names file and line.
"""

from __future__ import annotations

import faulthandler
from typing import Any, Callable

import torch

from .. import channel
from ..shapes import Failure, Prepared, StepFailure
from ..steps.own_model import BadStepError, call_function, describe
from . import sessions

WANTED = "it must return a function that makes one training step, or that function and how many samples it takes"


class StepError(Exception):
    """The person's step raised; the message begins with the place."""


def prepare(path: str, function: str, shown: str, device: str, seconds: float) -> Prepared | Failure:
    """Call `function(device)` of the file and make the first step with what it returns.

    `shown` is the file's name in messages. What has not ended after so many seconds ends this process, with its stack
    on stderr.
    """
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        run, samples = step_of(call_function(path, function, device))
        first = run()
        nothing = torch.zeros((), device=device)
    except BaseException as error:
        return {"failed": describe(error, path)}
    finally:
        faulthandler.cancel_dump_traceback_later()

    def step(session: sessions.Session) -> torch.Tensor:
        try:
            value = run()
            # Never read here, as that would wait for the device.
            loss = tensor_of(value) if is_loss(value) else nothing
        except BaseException as error:  # a file may call sys.exit
            raise StepError(message(describe(error, path), path, shown)) from error
        session.steps += 1
        return loss

    # Whatever number of threads the file has set is part of what is timed.
    threads = torch.get_num_threads()
    sessions.adopt(sessions.Session(device, step, restart=lambda session: None, num_threads=threads))
    channel.progress({"step": 1})
    return {"batch": samples, "parameters": None, "loss": is_loss(first), "num_threads": threads}


def step_of(returned: Any) -> tuple[Callable[[], object], int | None]:
    """The step, and the number of samples it trains on if that is known. BadStepError for anything else."""
    run, samples = returned if isinstance(returned, (tuple, list)) and len(returned) == 2 else (returned, None)
    if not callable(run) or isinstance(run, torch.nn.Module):
        raise BadStepError(f"it returned {type(run).__name__}; {WANTED}")
    if samples is not None and (isinstance(samples, bool) or not isinstance(samples, int) or samples < 1):
        raise BadStepError(f"it returned {samples!r} as the number of samples; {WANTED}")
    return run, samples


def is_loss(value: Any) -> bool:
    """Whether a step returned what can be finite or not: one number, as Python's or in a tensor."""
    if isinstance(value, torch.Tensor):
        return value.numel() == 1 and not value.is_complex()
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def tensor_of(loss: Any) -> torch.Tensor:
    return loss.detach() if isinstance(loss, torch.Tensor) else torch.tensor(float(loss))


def message(failed: StepFailure, path: str, shown: str) -> str:
    """What went wrong, beginning with the place: `train.py:12 in step: ValueError: no data`."""
    file = shown if failed["file"] == path else failed["file"]
    line = f":{failed['line']}" if failed["line"] is not None else ""
    function = f" in {failed['function']}" if failed["function"] else ""
    return f"{file}{line}{function}: {failed['what']}"
