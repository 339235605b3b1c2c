"""The device to train on: what a training script asks for, what the environment says, what was measured.

torch is imported by the call, never by this module; the rest is the standard library.
"""

from __future__ import annotations

import os
import sys

from mpsdoctor.runtime.arguments import check_arguments
from mpsdoctor.runtime.availability import accelerators, add_rank, unavailable
from mpsdoctor.runtime.device_info import DeviceInfo
from mpsdoctor.runtime.forcing import choose_forced
from mpsdoctor.runtime.logs import log_once
from mpsdoctor.runtime.measured import TO_DO, choose_measured, list_wrong, rows_of
from mpsdoctor.runtime.profile import changes, fingerprint, locate, read, shorten_home, updates
from mpsdoctor.runtime.profile_format import DEVICE, ProfileError, printable
from mpsdoctor.runtime.ranks import warn_of_other_kinds

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    import torch

    from mpsdoctor.runtime.shapes import Fingerprint, KnownWrong, Profile

    Choice = tuple[str, str, str, str] | None  # device, source, reason, what that rests on; None: the next rule

READ_FROM_ENVIRONMENT = (
    *("MPSDOCTOR_FORCE_MPS", "MPSDOCTOR_DEVICE", "CUDA_VISIBLE_DEVICES"),
    *("LOCAL_RANK", "LOCAL_WORLD_SIZE", "WORLD_SIZE"),  # of torchrun
)
UNSETTLED_NS = 100_000_000  # a file this young may change again within one tick of its file system's clock
RUN = "run 'mpsdoctor' to measure this machine"
AGAIN = "run 'mpsdoctor' to measure again"

_answers: dict[Any, tuple[torch.device, DeviceInfo]] = {}
_present: dict[str, Fingerprint] = {}


class Question:
    """One call: what was asked, what was looked at on the way, what there is to say about it."""

    def __init__(
        self, force_mps: bool, workload: str | None, batch_size: int | None, explicit: bool, path: Path | None
    ) -> None:
        self.force_mps, self.workload, self.batch_size = force_mps, workload, batch_size
        self.explicit, self.path = explicit, path
        self.profile: Profile | None = None
        self.hints: list[str] = []
        self.warnings: list[str] = []
        self.stale: tuple[str, ...] = ()
        self.against = ""  # what was measured against the device that is forced

    def without_warnings(self) -> Question:
        """The same question, to ask what was measured without a word on how."""
        return Question(False, self.workload, self.batch_size, self.explicit, self.path)


def get_optimal_device(
    use_gpu: bool = True,
    force_mps: bool = False,
    workload: str | None = None,
    profile: str | os.PathLike[str] | None = None,
    batch_size: int | None = None,
) -> tuple[torch.device, DeviceInfo]:
    """The device to train on, and why.

    `use_gpu=False` gives the CPU; `force_mps` gives MPS if it is available; `workload` is a name that was
    measured ("mlp", "cnn", "lstm", "transformer", or one that `mpsdoctor bench --store` wrote); `profile` is a
    path to use instead of the usual place; `batch_size` (samples a step) makes the answer for `workload` that of
    this size, read off between the batches that were measured.
    Order: use_gpu; force_mps, MPSDOCTOR_FORCE_MPS, the profile's force_mps; MPSDOCTOR_DEVICE; what the profile
    measured; the policy for a machine without measurements. A profile or a back end that is broken gives a
    warning, never an exception; an argument of the wrong type raises TypeError, a batch_size below 1 (or of 2**63
    and more) ValueError.
    """
    check_arguments(use_gpu, force_mps, workload, profile, batch_size)
    try:
        return _find_answer(use_gpu, force_mps, workload, profile, batch_size)
    except Exception as error:  # a broken torch, an interpreter that is shutting down: the script goes on all the same
        return _fall_back(error)


def _find_answer(
    use_gpu: bool, force_mps: bool, workload: str | None, profile: str | os.PathLike[str] | None, batch_size: int | None
) -> tuple[torch.device, DeviceInfo]:
    """The answer to a question that was asked before under the same circumstances, or a new one."""
    path, trouble = _locate_profile(profile) if use_gpu else (None, None)
    signature, settled = _signature(path)
    environment = tuple(map(os.environ.get, READ_FROM_ENVIRONMENT))
    key = (use_gpu, force_mps, workload, batch_size, profile is None, str(path), signature, environment)
    answer = _answers.get(key) if settled else None
    if answer is None:
        explicit = profile is not None or bool(os.environ.get("MPSDOCTOR_PROFILE"))
        question = Question(force_mps, workload, batch_size, explicit, path)
        question.warnings += [trouble] if trouble else []
        answer = _answer(question, use_gpu)
        _remember(key if settled else None, answer)
    return answer


def _fall_back(error: Exception) -> tuple[torch.device, DeviceInfo]:
    """The CPU, with a warning that says why nothing could be found out. ImportError where there is no torch.

    While the interpreter shuts down nothing can be imported: the answer of an earlier call, or ValueError.
    """
    if sys.is_finalizing():
        for answer in _answers.values():
            return answer
        raise ValueError("the interpreter is shutting down, and no device was asked for before") from error
    import torch

    trouble = f"the device could not be chosen ({type(error).__name__}: {printable(str(error), 200)})"
    info = DeviceInfo(
        device="cpu",
        source="policy",
        reason="what this machine has could not be found out",
        basis="",
        hints=(RUN,),
        warnings=(trouble,),
        stale=(),
        known_wrong=(),
        settings={},
        profile_path=None,
    )
    log_once(info)
    return torch.device("cpu"), info


def _locate_profile(profile: str | os.PathLike[str] | None) -> tuple[Path | None, str | None]:
    try:
        return locate(profile), None
    except ProfileError as error:
        return None, str(error)


def _signature(path: Path | None) -> tuple[tuple[int, ...] | None, bool]:
    """What tells one content of the file from the next, and whether it can be relied on."""
    import time

    if path is None:
        return None, True
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None, True
    settled = abs(time.time_ns() - status.st_mtime_ns) > UNSETTLED_NS
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns), settled


def _remember(key: object, answer: tuple[torch.device, DeviceInfo]) -> None:
    if key is None:
        return
    if len(_answers) >= 64:  # far more than one trainer asks, so that a loop over profiles cannot grow it
        _answers.clear()
    _answers[key] = answer


def _answer(question: Question, use_gpu: bool) -> tuple[torch.device, DeviceInfo]:
    import torch

    choice: Choice = None if use_gpu else ("cpu", "argument", "use_gpu=False", "")
    _consult_profile(torch, question)
    for rule in (choose_forced, _choose_by_environment, _choose_by_profile, _choose_by_policy):
        choice = choice or rule(torch, question)
    assert choice is not None  # the policy always answers
    device, source, reason, basis = choice
    wrong = _known_wrong(question, device)
    question.warnings += warn_of_other_kinds(question.profile, device, source)
    info = DeviceInfo(
        device=device,
        source=source,
        reason=reason,
        basis=basis,
        hints=tuple(question.hints),
        warnings=tuple(question.warnings),
        stale=question.stale,
        known_wrong=tuple(printable(row["id"], 60) for row in wrong),
        settings={} if question.profile is None or question.stale else question.profile["settings"],
        profile_path=None if question.path is None else str(question.path),
    )
    log_once(info)
    return torch.device(device), info


def _known_wrong(question: Question, device: str) -> list[KnownWrong]:
    """What the profile says was found wrong on a device; told here, where no warning of `choose_forced` has."""
    profile = question.profile
    rows = [] if profile is None or question.stale else rows_of(profile, device)
    if rows:
        question.warnings += [] if question.against else [f"found wrong on {device}: {list_wrong(rows)}"]
        question.hints.append(TO_DO)
    return rows


def _consult_profile(torch: Any, question: Question) -> None:
    """Read the profile and compare its machine with this one, for the rules that follow."""
    if question.path is None:
        return
    try:
        question.profile = read(question.path)
    except FileNotFoundError:
        if question.explicit:
            question.warnings.append(
                f"{shorten_home(question.path)}: there is no profile; run 'mpsdoctor' to write one"
            )
    except ProfileError as error:
        question.warnings.append(str(error))
    else:
        recorded, present = question.profile["fingerprint"], _fingerprint_now(torch)
        question.stale = changes(recorded, present)
        updated = () if question.stale else updates(recorded, present)
        question.hints += [f"measured before an update ({'; '.join(updated)}): {AGAIN}"] if updated else []
    if question.stale:
        what = "; ".join(question.stale)
        question.warnings.append(f"the profile was made elsewhere or before a change ({what}); run 'mpsdoctor' again")


def _fingerprint_now(torch: Any) -> Fingerprint:
    version = str(getattr(torch, "__version__", ""))
    if version not in _present:
        _present[version] = fingerprint(version)
    return _present[version]


def _choose_by_environment(torch: Any, question: Question) -> Choice:
    import re

    name = os.environ.get("MPSDOCTOR_DEVICE")
    if not name:
        return None
    wish = f"MPSDOCTOR_DEVICE={printable(name, 40)}"
    if not re.fullmatch(DEVICE, name):
        question.warnings.append(f"{wish} is not a device such as mps or cuda:0")
        return None
    trouble = unavailable(torch, name)
    if trouble:
        question.warnings.append(f"{wish} cannot be had: {trouble}")
        return None
    return name if ":" in name else add_rank(torch, name, question.warnings), "environment", f"{wish} asks for it", ""


def _choose_by_profile(torch: Any, question: Question) -> Choice:
    if question.profile is None or question.stale:
        return None
    device, reason, basis = choose_measured(question.profile, question)
    trouble = unavailable(torch, device)
    if trouble:
        question.warnings.append(f"the profile's choice is {device}, but {trouble}; run 'mpsdoctor' again")
        return None
    question.hints += [printable(hint, 400) for hint in question.profile["hints"][:20]]
    if device != "cpu":
        question.hints += _hint_unset_variables(question.profile["environment"])
    return add_rank(torch, device, question.warnings), "profile", reason, basis


def _hint_unset_variables(environment: dict[str, str]) -> Iterator[str]:
    # torch reads them while it loads, so it is too late to set them here
    for name, value in sorted(environment.items()):
        if os.environ.get(name) != value:
            yield f"start with {name}={value}, as 'mpsdoctor run -- …' does"


def _choose_by_policy(torch: Any, question: Question) -> Choice:
    if not unavailable(torch, "cuda"):
        return add_rank(torch, "cuda", question.warnings), "policy", "CUDA is available", ""
    question.hints.append(RUN)
    if _fingerprint_now(torch)["os"] == "Darwin":  # Intel Macs, too, have MPS that nobody has measured
        trouble = unavailable(torch, "mps")
        question.hints += [] if trouble else _hint_from_others(torch)
        unmeasured = "the measurement is out of date" if question.stale else "not measured yet"
        return "cpu", "policy", trouble or f"{unmeasured}; run 'mpsdoctor' (1 min)", ""
    for kind in accelerators(torch):
        if not unavailable(torch, kind):
            return kind, "policy", f"{kind} is the accelerator that this torch offers", ""
    return "cpu", "policy", "no accelerator is available", ""


def _hint_from_others(torch: Any) -> list[str]:
    from mpsdoctor.runtime.prior import hints_for_chip

    return hints_for_chip(_fingerprint_now(torch)["chip"])
