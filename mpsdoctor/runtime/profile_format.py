"""The profile's text: from bytes to checked data and back, trusting nothing that a file may hold."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own constant costs 3 ms of the 15 that `import mpsdoctor` has
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from mpsdoctor.runtime.shapes import AtBatch, Profile, Workloads

    JsonObject = dict[str, Any]  # of a file that nobody has checked yet
    Place = tuple[str, object, str]  # where, what stands there, and the kind that it should be

SCHEMA = 1
LIMIT = 1 << 20  # bytes; a real profile has a few thousand
DEVICE = r"[a-z][a-z0-9_]{0,31}(:[0-9]{1,4})?"
VARIABLE = r"PYTORCH_[A-Za-z0-9_]{1,64}"
RENEW = "run 'mpsdoctor' to write a new one"


class ProfileError(ValueError):
    """A profile that cannot be read, used or written; the message says what, where and what to do."""


def printable(text: str, limit: int = 200) -> str:
    """`text` fit for a terminal or a log: one line, about `limit` characters, controls as escapes."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def parse(raw: bytes) -> Any:
    """JSON data, of any shape, from the bytes of a file; ProfileError if they are not strictly that."""
    import json

    try:
        return json.loads(
            raw.decode("utf-8-sig"),  # some Windows editors put a mark there, which harms nothing
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except UnicodeDecodeError as error:
        raise ProfileError(f"not UTF-8 at byte {error.start}; {RENEW}") from error
    except json.JSONDecodeError as error:
        raise ProfileError(f"not JSON, perhaps cut short (line {error.lineno}: {error.msg}); {RENEW}") from error
    except RecursionError as error:
        raise ProfileError(f"nested too deeply; {RENEW}") from error


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ProfileError(f"one object holds a key twice; {RENEW}")
    return members


def _constant(text: str) -> float:
    raise ProfileError(f"holds {text}, which is not JSON; {RENEW}")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ProfileError(f"holds the number {printable(text, 40)}, which is beyond measure; {RENEW}")
    return value


def _int(text: str) -> int:
    if len(text) > 20:  # before the conversion: its time is quadratic in the digits
        raise ProfileError(f"holds the number {text[:12]}…, which is beyond measure; {RENEW}")
    return int(text)


def render(profile: Profile) -> bytes:
    """Sorted, indented UTF-8 with a newline at its end; ValueError if it is no JSON data or above LIMIT."""
    import json

    try:
        text = json.dumps(profile, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, RecursionError) as error:
        raise ProfileError(f"not JSON data ({error})") from error
    # a lone surrogate can only be inside a string, where the \udXXX that takes its place is JSON's own escape
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) > LIMIT:
        raise ProfileError(f"larger than the {LIMIT} bytes that readers take")
    return raw


def _number(value: Any) -> bool:
    return type(value) in (int, float)


def _matches(pattern: str, value: Any) -> bool:
    import re

    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


KINDS: dict[str, Callable[[Any], bool]] = {
    "text": lambda v: isinstance(v, str),
    "text or null": lambda v: v is None or isinstance(v, str),
    "true or false": lambda v: isinstance(v, bool),
    "true, false or null": lambda v: v is None or isinstance(v, bool),
    "an object": lambda v: isinstance(v, dict),
    "an object or null": lambda v: v is None or isinstance(v, dict),
    "a count of ranks": lambda v: type(v) is int and 1 <= v < 1 << 20,
    "a list": lambda v: isinstance(v, list),
    "a whole number or null": lambda v: v is None or (type(v) is int and v >= 0),
    "a count from 1 to 4096 or null": lambda v: v is None or (type(v) is int and 1 <= v <= 4096),
    "a number or null": lambda v: v is None or _number(v),
    "two numbers or null": lambda v: v is None or (isinstance(v, (list, tuple)) and [*map(_number, v)] == [True] * 2),
    "a device such as mps or cuda:0": lambda v: v != "tie" and _matches(DEVICE, v),
    "a device or tie": lambda v: _matches(DEVICE, v),
    "an accelerator such as mps or cuda:0": lambda v: _matches(DEVICE, v) and v.partition(":")[0] not in ("cpu", "tie"),
    "a batch size from 1 to 10^9": lambda v: type(v) is int and 1 <= v <= 10**9,
    "a number above 0": lambda v: _number(v) and v > 0,
    "two numbers above 0 in their order": lambda v: (
        isinstance(v, (list, tuple)) and [*map(_number, v)] == [True] * 2 and 0 < v[0] <= v[1]
    ),
    "each batch once by device": lambda v: len(set(v)) == len(v),
    "a name beginning with PYTORCH_": lambda v: _matches(VARIABLE, v),
    "a short line of text": lambda v: isinstance(v, str) and len(v) <= 256 and v.isprintable(),
}
CONTAINERS = ("fingerprint", "recommended", "workloads", "batches", "batch_sizes", "speeds", "environment", "settings")
DEFAULTS: dict[str, Callable[[], Any]] = {
    "created": lambda: None,
    "tool": lambda: None,
    "force_mps": bool,
    "force_mps_torch": lambda: None,
    "workloads": dict,
    "batches": dict,
    "batch_sizes": dict,
    "speeds": dict,
    "environment": dict,
    "settings": dict,
    "hints": list,
    "known_wrong": list,
    "fleet": lambda: None,
}


def validate(profile: Any) -> Profile:
    """A copy with its optional parts filled in, or a ProfileError that names the first wrong place."""
    if not isinstance(profile, dict):
        raise ProfileError(f"holds {_describe(profile)} instead of an object; {RENEW}")
    _known_schema(profile.get("schema"))
    whole: Any = {**{key: make() for key, make in DEFAULTS.items()}, **profile}
    for place, value, kind in _places(whole):
        if not KINDS[kind](value):
            raise ProfileError(f"{printable(place, 120)} should be {kind}, not {_describe(value)}; {RENEW}")
    checked: Profile = whole
    return checked


def _known_schema(schema: Any) -> None:
    if type(schema) is not int:
        raise ProfileError(f"schema should be {SCHEMA}, not {_describe(schema)}; {RENEW}")
    knows = f"this reader (knows {SCHEMA})"
    if schema > SCHEMA:
        raise ProfileError(f"schema {schema} is newer than {knows}; upgrade mpsdoctor or run 'mpsdoctor'")
    if schema < SCHEMA:
        raise ProfileError(f"schema {schema} is unknown to {knows}; {RENEW}")


def _places(profile: JsonObject) -> Iterator[Place]:
    """Each place that readers rely on, its value and its kind; a container before what it holds."""
    yield "force_mps", profile["force_mps"], "true or false"
    for key in ("created", "tool", "force_mps_torch"):
        yield key, profile[key], "text or null"
    for key in CONTAINERS:
        yield key, profile.get(key), "an object"
    fingerprint, recommended = profile["fingerprint"], profile["recommended"]
    for key in ("os", "os_version", "arch", "chip", "python", "torch"):
        yield f"fingerprint.{key}", fingerprint.get(key), "text or null"
    yield "fingerprint.memory_bytes", fingerprint.get("memory_bytes"), "a whole number or null"
    yield "recommended.device", recommended.get("device"), "a device such as mps or cuda:0"
    for key in ("confidence", "reason"):
        yield f"recommended.{key}", recommended.get(key), "text or null"
    yield "settings.num_threads", profile["settings"].get("num_threads"), "a count from 1 to 4096 or null"
    yield "settings.nnpack", profile["settings"].get("nnpack"), "true, false or null"
    yield from _workload_places(profile["workloads"])
    yield from _batch_places(profile["batches"])
    yield from _size_places(profile["batch_sizes"])
    for device, speed in profile["speeds"].items():
        yield "each name in speeds", device, "an accelerator such as mps or cuda:0"
        yield f"speeds.{device}", speed, "an object"
        yield f"speeds.{device}.speedup", speed.get("speedup"), "a number above 0"
        yield f"speeds.{device}.ci95", speed.get("ci95"), "two numbers above 0 in their order"
    for name, value in profile["environment"].items():
        yield "each name in environment", name, "a name beginning with PYTORCH_"
        yield f"environment.{name}", value, "a short line of text"
    yield "hints", profile["hints"], "a list"
    for hint in profile["hints"]:
        yield "each of hints", hint, "text"
    yield from _fleet_places(profile["fleet"])
    yield "known_wrong", profile["known_wrong"], "a list"
    for number, row in enumerate(profile["known_wrong"]):
        yield f"known_wrong.{number}", row, "an object"
        yield f"known_wrong.{number}.id", row.get("id"), "a short line of text"
        yield f"known_wrong.{number}.device", row.get("device"), "a device such as mps or cuda:0"
        yield f"known_wrong.{number}.what", row.get("what"), "text or null"


def _fleet_places(fleet: Any) -> Iterator[Place]:
    yield "fleet", fleet, "an object or null"
    if fleet is not None:
        yield "fleet.created", fleet.get("created"), "text"
        yield "fleet.devices", fleet.get("devices"), "an object"
        for device, count in fleet["devices"].items():
            yield "each name in fleet.devices", device, "a device such as mps or cuda:0"
            yield f"fleet.devices.{device}", count, "a count of ranks"


def _workload_places(workloads: Workloads) -> Iterator[Place]:
    for name, sizes in workloads.items():
        yield f"workloads.{name}", sizes, "an object"
        for size, entry in sizes.items():
            place = f"workloads.{name}.{size}"
            yield place, entry, "an object"
            yield f"{place}.device", entry.get("device"), "a device or tie"
            yield f"{place}.speedup", entry.get("speedup"), "a number or null"
            yield f"{place}.ci95", entry.get("ci95"), "two numbers or null"
            yield f"{place}.alike", entry.get("alike"), "true, false or null"


def _batch_places(batches: dict[str, list[AtBatch]]) -> Iterator[Place]:
    for family, rows in batches.items():
        yield f"batches.{family}", rows, "a list"
        for number, row in enumerate(rows):
            place = f"batches.{family}.{number}"
            yield place, row, "an object"
            yield f"{place}.batch", row.get("batch"), "a batch size from 1 to 10^9"
            yield f"{place}.device", row.get("device"), "an accelerator such as mps or cuda:0"
            yield f"{place}.speedup", row.get("speedup"), "a number above 0"
            yield f"{place}.ci95", row.get("ci95"), "two numbers above 0 in their order"
        yield f"batches.{family}", [(row["device"], row["batch"]) for row in rows], "each batch once by device"


def _size_places(batch_sizes: JsonObject) -> Iterator[Place]:
    for name, devices in batch_sizes.items():
        yield f"batch_sizes.{name}", devices, "an object"
        for device, row in devices.items():
            place = f"batch_sizes.{name}.{device}"
            yield f"each name in batch_sizes.{name}", device, "a device such as mps or cuda:0"
            yield place, row, "an object"
            yield f"{place}.largest", row.get("largest"), "a batch size from 1 to 10^9"
            yield f"{place}.fastest", row.get("fastest"), "a batch size from 1 to 10^9"
            yield f"{place}.settled", row.get("settled"), "true or false"
            yield f"{place}.samples_per_s", row.get("samples_per_s"), "a number above 0"


def _describe(value: Any) -> str:
    if isinstance(value, str):
        return f"'{printable(value, 60)}'"
    if value is None:
        return "null or missing"
    return {bool: "true or false", dict: "an object", list: "a list"}.get(type(value), "a number")
