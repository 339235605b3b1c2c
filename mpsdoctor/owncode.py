"""What a person may ask about a file of their own: does its step run on mps, will it, how fast is it.

The file is run by workers alone, and only where its name was given for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from mpsdoctor import clean, process
from mpsdoctor.check import Context, OwnCodeError, UnusableRequestError
from mpsdoctor.events import Answer, Emit, Request, Settings
from mpsdoctor.session import Collect, Session
from mpsdoctor_checks.operators import model, predicted
from mpsdoctor_checks.training import own_batches, own_step

LONGEST = 60.0  # seconds that a step may take where nothing else is asked for


def replay(target: str, seconds: float) -> Collect:
    """Whether the step runs on each device. UnusableRequestError."""
    return partial(model.examine, wanted=model.parse_target(target), seconds=seconds)


def predict(
    target: str | None, names: Sequence[str], version: str | None, seconds: float, macos: str | None = None
) -> Collect:
    """What MPS has for the operators of a step, those named, or the catalogue's. UnusableRequestError."""
    wanted = model.parse_target(target) if target else None
    return partial(predicted.examine, wanted=wanted, names=names, version=version, seconds=seconds, macos=macos)


def time_step(
    target: str, name: str | None, seconds: float, begin: Callable[[Context], object] = lambda context: None
) -> Collect:
    """How long the step takes on each device, told as `name` or as its place. UnusableRequestError."""
    wanted = model.parse_target(target, "--step")
    shown = name or f"{wanted.file.name}:{wanted.function}"
    return partial(own_step.examine, wanted=wanted, name=shown, longest=seconds, begin=begin)


def find_batch(
    target: str, name: str | None, seconds: float, begin: Callable[[Context], object] = lambda context: None
) -> Collect:
    """The largest batch size of the step that fits on each device, and the fastest. UnusableRequestError."""
    wanted = model.parse_target(target, "--step")
    shown = name or f"{wanted.file.name}:{wanted.function}"
    return partial(own_batches.examine, wanted=wanted, name=shown, longest=seconds, begin=begin)


def session_of(request: Request, settings: Settings, emit: Emit) -> Session:
    """What answers the question, as the commands do. UnusableRequestError."""
    if request.question == "step":
        return Session(settings, emit, time_step(request.target, None, LONGEST), own_step)
    if request.question == "predicted":
        return Session(settings, emit, predict(request.target, (), request.version, LONGEST))
    return Session(settings, emit, replay(request.target, LONGEST))


def answer(session: Session) -> Answer:
    """Run it to its end; what the person's file did wrong is an answer too."""
    try:
        report = session.run()
    except OwnCodeError as error:
        trouble = Answer(None, clean.line(str(error)), error.traceback)
    except UnusableRequestError as error:
        trouble = Answer(None, clean.line(str(error)))
    else:
        return Answer(report, cancelled=session.cancelled)
    finally:
        process.end_orphans()
    return Answer(cancelled=True) if session.cancelled else trouble
