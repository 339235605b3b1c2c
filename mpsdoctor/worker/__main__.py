"""Start of a worker: `python …/mpsdoctor/worker`, jobs on stdin, announcements and answers on stdout.

A job is `{"id", "call": "module:function" or "file.py:function", "args": {…}}`; the answer is `{"id", "value"}`
or `{"id", "error": {"type", "message", "traceback"}}`. `{"leave": true}` ends the worker as a program ends.

The interpreter may be one that has torch but not mpsdoctor, so this package is loaded from its folder under the
name `mpsdoctor_worker`.
"""

from __future__ import annotations

import faulthandler
import functools
import gc
import importlib
import importlib.util
import json
import os
import queue
import sys
import threading
import traceback
from types import ModuleType
from typing import Any, Callable


def load_file(path: str, name: str, **options: Any) -> ModuleType:
    """Import one file under a name of our choice, whatever sys.path says."""
    spec = importlib.util.spec_from_file_location(name, path, **options)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@functools.lru_cache(maxsize=None)
def find(call: str) -> Callable[..., Any]:
    """The function that `module:function` or `file.py:function` names."""
    where, _, name = call.rpartition(":")
    if where.endswith(".py"):
        stem = os.path.splitext(os.path.basename(where))[0]
        module = load_file(where, f"mpsdoctor_job_{stem}")
    else:
        module = importlib.import_module(where)
    function: Callable[..., Any] = getattr(module, name)
    return function


OURS = (os.path.join("worker", "__main__.py"), os.path.join("mpsdoctor", "checkhost.py"))


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as data: its type, its first 4,000 characters, the innermost 20 frames, less those before a job."""
    frame = error.__traceback__
    while frame and frame.tb_next and frame.tb_frame.f_code.co_filename.endswith(OURS):
        frame = frame.tb_next
    frames = traceback.format_exception(type(error), error, frame, limit=-20)
    return {"type": type(error).__name__, "message": text_of(error)[:4000], "traceback": "".join(frames)[-8000:]}


def text_of(error: BaseException) -> str:
    """The message of an exception, whose `__str__` may raise too."""
    try:
        return str(error)
    except BaseException:
        return "its text cannot be made"


def answer(channel: Any, job: dict[str, Any], more: Callable[[], bool]) -> None:
    """Announce a job, run it and send its result, together with the next announcement if more jobs wait."""
    channel.begin(job["id"])
    try:
        line = json.dumps({"id": job["id"], "value": find(job["call"])(**job["args"])})
        channel.bounded(line, channel.LARGEST_ANSWER)
    except BaseException as error:  # user code may raise SystemExit; the worker outlives it
        line = json.dumps({"id": job["id"], "error": describe(error)})
    if not channel.is_owner():  # the job forked, and this is the child
        os._exit(0)
    channel.send_line(line, more())


def read_jobs(descriptor: int, jobs: queue.SimpleQueue[Any], channel: Any) -> None:
    """Queue the jobs that arrive; the end of the stream means that the doctor is gone."""
    with os.fdopen(descriptor, "rb") as stream:
        for line in stream:
            jobs.put(json.loads(line))
    channel.hang_up()


def main() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    # Python puts the folder it runs first on the path, where our modules would hide others of the same name.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    load_file(os.path.join(here, "__init__.py"), "mpsdoctor_worker", submodule_search_locations=[here])
    channel = importlib.import_module("mpsdoctor_worker.channel")
    guard = importlib.import_module("mpsdoctor_worker.guard")
    guarded = guard.die_with_parent()
    descriptor = channel.claim_standard_streams()
    faulthandler.enable()
    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=read_jobs, args=(descriptor, jobs, channel), daemon=True).start()
    channel.send({"ready": os.getpid()})
    # The first job imports torch: 400,000 objects, none of them garbage; looking for some takes a fifth of the time.
    gc.disable()
    while not (job := jobs.get()).get("leave"):
        if not guarded:
            guard.end_after(job["timeout"])
        answer(channel, job, lambda: not jobs.empty())
        if not guarded and jobs.empty():
            guard.go_on()
        if not gc.isenabled():
            gc.freeze()  # nor are they to be looked through at every full collection, inside timed blocks too
            gc.enable()


if __name__ == "__main__":
    main()
