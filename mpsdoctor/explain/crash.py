"""Crash reports of macOS (.ips) and panics as lines: what failed, where, on which system, and nothing personal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

FIRST = b"{"
MARKS = (b'"bug_type"', b'"panicString"', b'"incident"', b'"procName"')
LARGEST = 1 << 23  # bytes; reports of a training with hundreds of threads have less than one MiB
FRAMES = 40  # of a thread
PANIC_LINES = 60
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*+)"?')  # of JSON, the last one cut; possessive, so that it takes linear time
ARCHES = {"ARM-64": "arm64", "X86-64": "x86_64"}


def is_crash_report(start: bytes) -> bool:
    """Whether a text begins as such a report."""
    return start.lstrip()[:1] == FIRST and any(mark in start[:4096] for mark in MARKS)


def crash_lines(text: str) -> list[str] | None:
    """The report in lines, of a cut one what is whole; None for what is none."""
    documents, cut = _documents(text)
    if not documents:
        return None
    report = {key: value for document in documents for key, value in document.items()}
    lines = [*(_panic(report) if "panicString" in report else _crash(report)), *_strings(cut)]
    return lines or None


def _strings(cut: str) -> Iterator[str]:
    """The strings of JSON that has no end, in lines."""
    for match in STRING.finditer(cut):
        try:
            yield from str(json.loads(f'"{match[1]}"')).splitlines()
        except ValueError:  # an escape that JSON does not have
            continue


def _documents(text: str) -> tuple[list[Mapping[str, Any]], str]:
    """The JSON objects, a head and a body, one after the other; and what is none."""
    documents: list[Mapping[str, Any]] = []
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        while at < len(text) and text[at] in " \t\r\n\ufeff":
            at += 1
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        if isinstance(document, dict):
            documents.append(document)
    return documents, text[at:]


def _panic(report: Mapping[str, Any]) -> Iterator[str]:
    yield from _system(report)
    yield from str(report["panicString"]).splitlines()[:PANIC_LINES]


def _crash(report: Mapping[str, Any]) -> Iterator[str]:
    """The assertion last, as a traceback has it."""
    yield from _system(report)
    yield f"crash of {_text(report, 'procName') or _text(report, 'app_name')}"
    yield from _thread(report)
    termination = _mapping(report, "termination")
    yield f"terminated: {_text(termination, 'namespace')} {_text(termination, 'indicator')}"
    if _text(termination, "namespace") == "JETSAM":
        yield "Namespace JETSAM"
    exception = _mapping(report, "exception")
    yield f"exception {_text(exception, 'type')} {_text(exception, 'signal')} {_text(exception, 'subtype')}"
    for messages in _mapping(report, "asi").values():
        for message in messages if isinstance(messages, list) else ():
            yield from str(message).splitlines()


def _system(report: Mapping[str, Any]) -> Iterator[str]:
    """As the readers of environments know it."""
    version = _text(_mapping(report, "osVersion"), "train") or _text(report, "os_version") or _text(report, "build")
    if version:
        yield f"OS Version: {version}"
    if arch := ARCHES.get(_text(report, "cpuType")):
        yield f"Architecture: {arch}"
    if report.get("translated") is True:
        yield "sysctl.proc_translated: 1"


def _thread(report: Mapping[str, Any]) -> Iterator[str]:
    """The thread that failed: its queue, and what it was in, library and function."""
    threads, number = report.get("threads"), report.get("faultingThread")
    if not isinstance(threads, list) or not isinstance(number, int) or not 0 <= number < len(threads):
        return
    thread = threads[number] if isinstance(threads[number], dict) else {}
    yield f"thread {number} {_text(thread, 'name')} {_text(thread, 'queue')}".strip()
    images = report.get("usedImages")
    names = [_text(image, "name") for image in images if isinstance(image, dict)] if isinstance(images, list) else []
    frames = thread.get("frames")
    for frame in frames[:FRAMES] if isinstance(frames, list) else ():
        if isinstance(frame, dict):
            at = frame.get("imageIndex")
            library = names[at] if isinstance(at, int) and 0 <= at < len(names) else ""
            yield f"  {library} {_text(frame, 'symbol')}".rstrip()


def _mapping(report: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = report.get(key)
    return value if isinstance(value, dict) else {}


def _text(report: Mapping[str, Any], key: str) -> str:
    value = report.get(key)
    return value if isinstance(value, str) else ""
