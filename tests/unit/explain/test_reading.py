"""Texts of any size, encoding and kind: logs, crash reports, garbage."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.explain.compare import compare
from mpsdoctor.explain.engine import diagnose
from mpsdoctor.explain.lines import split
from mpsdoctor.explain.private import public
from mpsdoctor.explain.rules import causes as known_causes
from mpsdoctor.explain.sieve import WHOLE, read_stream

FULL = (
    "RuntimeError: MPS backend out of memory (MPS allocated: 6.04 GB, other allocations: 1.04 GB, max allowed:"
    " 6.77 GB). Tried to allocate 459.07 MB on private pool."
)
NOISE = "2026-01-02T03:04:05.0000000Z   Downloading wheel 12 of 400 [####      ]\n"


def causes_of(data: bytes) -> list[str]:
    return [cause.name for cause in diagnose(read_stream(io.BytesIO(data))).causes]


@pytest.mark.parametrize(
    "data",
    [
        FULL.encode(),
        FULL.encode("utf-16"),
        FULL.encode("utf-16-le"),
        b"\xff\xfecaf\xe9\n" + FULL.encode(),
        f"\x1b[31m{FULL}\x1b[0m".encode(),
        FULL.replace(". ", ".\r\n", 1).encode(),
        b"10%\r20%\r" + FULL.encode() + b"\r",
        FULL.replace("6.04", "6,04").replace("1.04", "1,04").replace("6.77", "6,77").encode(),
        FULL.replace(" GB", "\u00a0GB").encode(),
        f"E       {FULL}".encode(),
        f"reranker  | {FULL}".encode(),
        ("{'text': \"" + FULL + '\\n"}').encode(),
    ],
)
def test_the_message_is_found_however_it_is_spelt(data: bytes) -> None:
    """Encodings, colours, line ends, progress bars, commas for points, prefixes of pytest and Docker."""
    assert causes_of(data)[:1] == ["oom_genuine"]


def test_a_message_in_a_large_log_is_found_with_its_line() -> None:
    """What is larger than can be read whole is sieved, and lines keep their numbers."""
    before, after = (2 * WHOLE) // len(NOISE), (4 * WHOLE) // len(NOISE)
    data = (NOISE * before + FULL + "\n" + NOISE * after).encode()
    found = diagnose(read_stream(io.BytesIO(data))).causes[0]
    assert (found.name, found.hit.lines[0].number) == ("oom_genuine", before + 1)


def test_a_repeated_line_counts_where_it_stands_last() -> None:
    """Of lines that differ in digits alone a large log keeps the last: a success before it takes nothing back."""
    success = "Training finished successfully\n"
    again = (FULL + "\n" + NOISE + success + NOISE * (2 * WHOLE // len(NOISE)) + FULL + "\n").encode()
    assert causes_of(again) == ["oom_genuine"]
    together = (NOISE * (2 * WHOLE // len(NOISE)) + FULL + "\n" + success + (FULL + "\n") + NOISE * 300).encode()
    assert causes_of(together) == ["oom_genuine"]
    assert causes_of((FULL + "\n" + NOISE * (2 * WHOLE // len(NOISE)) + success).encode()) == []


def test_a_growing_file_is_read_as_far_as_it_was() -> None:
    """What comes later is not waited for."""
    assert len(read_stream(io.BytesIO(b"one\ntwo\nthree\n"), 8).lines) == 2


@given(st.binary(max_size=3000))
def test_bytes_of_any_kind_are_answered(data: bytes) -> None:
    """Garbage has no cause, and raises nothing."""
    diagnose(read_stream(io.BytesIO(data)))


def report(**changed: Any) -> bytes:
    """A crash report of macOS: a head of a line, then a body."""
    head = {"app_name": "python3.11", "bug_type": "309", "os_version": "macOS 15.3 (24D60)", "incident_id": "SECRET"}
    body = {
        "procName": "python3.11",
        "procPath": "/Users/jane/venv/bin/python3.11",
        "userID": 501,
        "crashReporterKey": "SECRET",
        "cpuType": "ARM-64",
        "osVersion": {"train": "macOS 15.3", "build": "24D60"},
        "exception": {"type": "EXC_CRASH", "signal": "SIGABRT"},
        "termination": {"namespace": "SIGNAL", "indicator": "Abort trap: 6"},
        "faultingThread": 1,
        "threads": [
            {"frames": []},
            {
                "queue": "metal gpu stream",
                "frames": [
                    {"imageIndex": 0, "symbol": "abort"},
                    {"imageIndex": 1, "symbol": "-[MPSNDArray initWithBuffer:]"},
                    {"imageIndex": 2, "symbol": "at::native::mps::gatherViewTensor(at::Tensor const&)"},
                ],
            },
        ],
        "usedImages": [{"name": "libsystem_c.dylib"}, {"name": "MPSCore"}, {"name": "libtorch_cpu.dylib"}],
        "asi": {
            "MPSCore": [
                "/AppleInternal/MPSNDArray.mm:794: failed assertion `[MPSNDArray, initWithBuffer:descriptor:] Error:"
                " buffer is not large enough. Must be 207456 bytes'"
            ],
            "libsystem_c.dylib": ["abort() called"],
        },
    }
    return (json.dumps(head) + "\n" + json.dumps({**body, **changed}, indent=1)).encode()


def test_a_crash_report_tells_its_assertion_and_hides_its_owner() -> None:
    """Thread, libraries and assertion are read; keys and names are not."""
    text = read_stream(io.BytesIO(report()))
    diagnosis = diagnose(text)
    assert diagnosis.causes[0].name == "metal_assert_shape"
    assert (diagnosis.environment.macos, diagnosis.environment.arch) == ("15.3", "arm64")
    shown = "\n".join(line.shown for line in text.lines)
    assert "MPSCore -[MPSNDArray initWithBuffer:]" in shown
    assert "SECRET" not in shown
    assert "jane" not in shown


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"asi": {}, "exception": {"type": "EXC_BAD_ACCESS", "signal": "SIGSEGV"}}, "metal_crash"),
        ({"asi": {"libsystem_c.dylib": ["crashed on child side of fork pre-exec"]}}, "dataloader_workers"),
        ({"asi": {}, "termination": {"namespace": "JETSAM", "indicator": ""}}, "swap_or_memory_pressure"),
        (
            {"asi": {"Metal": ["-[IOGPUMetalCommandBuffer validate]:214: failed assertion `commit an already committed"
                               " command buffer'"]}},
            "metal_thread_race",
        ),
    ],
)  # fmt: skip
def test_crash_reports_are_told_apart(changed: dict[str, Any], cause: str) -> None:
    """A bad access, a fork, a kill for memory, a race of threads."""
    assert causes_of(report(**changed))[:1] == [cause]


def test_a_crash_of_another_program_has_no_cause() -> None:
    """A browser that dies is not our matter."""
    other = [{"frames": [{"imageIndex": 0, "symbol": "WebCore::render()"}]}]
    data = report(asi={}, threads=other, faultingThread=0, procName="Safari", usedImages=[{"name": "WebCore"}],
                  exception={"type": "EXC_BAD_ACCESS", "signal": "SIGSEGV"})  # fmt: skip
    assert causes_of(data) == []


def test_a_panic_is_read() -> None:
    """A panic for want of memory is told by its compressor."""
    panic = {
        "bug_type": "210",
        "build": "macOS 14.4 (23E214)",
        "panicString": "panic(cpu 2 caller 0xfffffe): watchdog timeout: no checkins from watchdogd in 90 seconds\n"
        "Compressor Info: 100% of compressed pages limit (BAD) and 100% of segments limit (BAD) with 30 swapfiles and"
        " LOW swap space",
    }  # fmt: skip
    assert causes_of(json.dumps(panic).encode())[:1] == ["swap_or_memory_pressure"]


@pytest.mark.parametrize(("cut", "causes"), [(10, ["metal_assert_shape"]), (60, ["metal_assert_shape"]), (1150, [])])
def test_a_crash_report_that_is_cut_tells_what_it_still_has(cut: int, causes: list[str]) -> None:
    """The assertion stands near its end; without it nothing is told."""
    assert causes_of(report()[:-cut])[:1] == causes


@given(cut=st.integers(1, 1200))
def test_no_cut_of_a_crash_report_is_an_error(cut: int) -> None:
    """Whatever is missing, causes are known ones."""
    assert set(causes_of(report()[:-cut])) <= known_causes().keys()


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("jane@MacBook-Air project % python train.py", "jane"),
        ('File "/Users/jane/train.py", line 3', "jane"),
        (r"File C:\Users\jane\train.py", "jane"),
        ("token=hf_abcdefghijklmnopqrstuv", "abcdefghijk"),
        ("Serial Number (system): C02XK1ZZJGH5", "C02XK1"),
        ("Hardware UUID: 12345678-1234-1234-1234-123456789ABC", "123456789ABC"),
        ("connect to 192.168.1.17 failed", "192.168"),
        ("mail jane.doe@example.org", "jane"),
    ],
)
def test_nothing_personal_is_quoted(line: str, hidden: str) -> None:
    """Names, keys, serial numbers and addresses are left out of what is shown."""
    assert hidden not in public(line)


GOOD = """torch==2.7.1
epoch 1 loss 0.41 12:00:01
UserWarning: 'pin_memory' argument is set as true but not supported on MPS now
saved /tmp/run1/model.pt
"""


def test_a_good_log_takes_out_what_both_have() -> None:
    """Numbers, paths and times are levelled; a warning that the good run has too is no cause."""
    failing = split(GOOD.replace("0.41", "0.39").replace("run1", "run77") + FULL)
    difference = compare(failing, split(GOOD))
    assert [line.shown for line in difference.lines] == [FULL]
    assert [cause.name for cause in diagnose(difference.text).causes] == ["oom_genuine"]


def test_another_version_is_a_difference_that_matters() -> None:
    """torch 2.8.0 beside 2.7.1 leads, before lines that only look different."""
    failing = "Hello there\ntorch==2.8.0\n"
    assert [line.shown for line in compare(split(failing), split(GOOD)).lines] == ["torch==2.8.0", "Hello there"]
    assert compare(split(GOOD), split(GOOD)).lines == ()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (
            "NotImplementedError: The operator 'aten::cumsum.out' is not currently implemented for the MPS device.\n\n"
            "During handling of the above exception, another exception occurred:\n\n"
            "RuntimeError: Placeholder storage has not been allocated on MPS device!",
            "op_not_implemented",
        ),
        (
            "RuntimeError: Placeholder storage has not been allocated on MPS device!\n"
            "restarting\n"
            "NotImplementedError: The operator 'aten::cumsum.out' is not currently implemented for the MPS device.",
            "op_not_implemented",
        ),
        (
            "UserWarning: 'pin_memory' argument is set as true but not supported on MPS now\n"
            "RuntimeError: Invalid buffer size: 19.45 GB",
            "invalid_buffer_size",
        ),
    ],
)
def test_the_innermost_error_leads(text: str, first: str) -> None:
    """The origin of a chain, the last error of a run, and an error before warnings around it."""
    assert [cause.name for cause in diagnose(split(text)).causes][:1] == [first]


def test_a_later_success_takes_an_error_back() -> None:
    """What was retried and went well is no cause; a warning stays one."""
    failed = "ERROR: No matching distribution found for torch==2.6.0\n"
    assert diagnose(split(failed)).causes
    assert diagnose(split(failed + "Successfully installed torch-2.2.2")).causes == ()
    slow = (
        "UserWarning: The operator 'aten::nonzero' is not currently supported on the MPS backend and will fall back to"
        " run on the CPU."
    )
    assert diagnose(split(slow + "\nTraining finished")).causes[0].name == "fallback_slow"
