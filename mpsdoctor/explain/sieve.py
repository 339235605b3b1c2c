"""Reads a text of any size: what is larger than `WHOLE` is passed through once, and lines of interest are kept."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO, TypeVar

from mpsdoctor.explain.crash import LARGEST, crash_lines, is_crash_report
from mpsdoctor.explain.lines import Text, decode, encoding, read_lines, split
from mpsdoctor.explain.source import load_causes

WHOLE = 1 << 18  # bytes that are read as they are
CHUNK = 1 << 20
LONGEST = 1 << 13  # bytes of a line; what follows in the line is passed over
HEAD, TAIL = 500, 1000  # lines of interest that are kept of the beginning and the end
LAST = 200  # lines of the end that are kept in any case
MANY = 500  # new lines of a chunk
MOST_SEEN = 400_000  # lines that are remembered, 60 bytes each
BEFORE, AFTER = 1, 2  # lines around one
DIGITS = b"0123456789"


def read_stream(stream: BinaryIO, limit: int | None = None) -> Text:
    """The lines of a stream, of a large one those of interest; `limit` is where a growing file is left."""
    start = _read(stream, WHOLE if limit is None else min(limit, WHOLE))
    if is_crash_report(start):
        whole = start + _read(stream, LARGEST)
        lines = crash_lines(decode(whole))
        if lines is not None:
            return read_lines(enumerate(lines, 1))
        start, stream = whole[:WHOLE], io.BytesIO(whole[WHOLE:])
    more = stream.read(1) if len(start) == WHOLE and (limit is None or limit > WHOLE) else b""
    if not more:
        return split(decode(start))
    kept = _sieve(_chunks(start + more, stream, limit))
    return read_lines((number, decode(line)) for number, line in kept)


def _read(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, or what there is: a pipe gives less at a time."""
    parts, left = [], size
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _chunks(start: bytes, stream: BinaryIO, limit: int | None) -> Iterator[bytes]:
    """UTF-8 in pieces that end with a line, each line end a newline."""
    decoder = _decoder(start)
    rest, read, part = b"", len(start), start
    while part:
        part = decoder.decode(part).encode("utf-8") if decoder else part
        part = rest + part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = part.rfind(b"\n") + 1
        yield part[:end]
        rest = part[end:][:LONGEST]
        part = stream.read(CHUNK if limit is None else min(CHUNK, max(0, limit - read)))
        read += len(part)
    yield rest


def _decoder(start: bytes) -> codecs.IncrementalDecoder | None:
    """For what is not UTF-8; None for all else."""
    name = encoding(start)
    return None if name == "utf-8" else codecs.getincrementaldecoder(name)("replace")


def _sieve(chunks: Iterator[bytes]) -> list[tuple[int, bytes]]:
    """Lines of interest with their numbers, those around them too; of lines that differ in digits alone the last."""
    anchors = [word.encode() for word in load_causes()["settings"]["anchors"]]
    kept: dict[bytes, tuple[int, bytes]] = {}
    seen: set[int] = set()
    number, last = 1, [b""]
    for chunk in chunks:
        lines, keys = chunk.split(b"\n"), chunk.translate(None, DIGITS).split(b"\n")
        new = _new_lines(keys, lines, number, kept, seen)
        for at in _of_interest(new, lines, anchors):
            around = range(max(0, at - BEFORE), min(len(lines), at + 1 + AFTER))
            kept.update((keys[near], (number + near, lines[near][:LONGEST])) for near in around if lines[near])
        number += len(lines) - 1
        last = (last + lines)[-LAST:]
        if len(seen) > MOST_SEEN:
            seen.clear()
        if len(kept) > 2 * (HEAD + TAIL):
            kept = dict(_ends(list(kept.items())))
    ending = {number - len(last) + 1 + at: line for at, line in enumerate(last) if line}
    ordered = _ends(sorted(kept.values()))
    return sorted({**dict(ordered), **ending}.items())


def _new_lines(
    keys: list[bytes], lines: list[bytes], number: int, kept: dict[bytes, tuple[int, bytes]], seen: set[int]
) -> list[int]:
    """Places of lines that were not there before, the last of each; those that are kept move to where they are now."""
    new = []
    latest = {key: at for at, key in enumerate(keys)}
    for key, at in latest.items():
        if key in kept:
            del kept[key]
            kept[key] = number + at, lines[at][:LONGEST]
        elif (code := hash(key)) not in seen:
            seen.add(code)
            new.append(at)
    return new


def _of_interest(places: list[int], lines: list[bytes], anchors: list[bytes]) -> Iterator[int]:
    """Places of lines that hold an anchor. Of many lines it is worth asking first which anchors they have at all."""
    if len(places) > MANY:
        together = b"\n".join(lines[at] for at in places).lower()
        anchors = [anchor for anchor in anchors if anchor in together]
    for at in places:
        low = lines[at][:LONGEST].lower()
        if any(anchor in low for anchor in anchors):
            yield at


T = TypeVar("T")


def _ends(items: list[T]) -> list[T]:
    """The first and the last of too many."""
    return items if len(items) <= HEAD + TAIL else items[:HEAD] + items[-TAIL:]
