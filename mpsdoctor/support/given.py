"""What an operator was called with, and conditions on it as the data file of refusals writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

Given = Mapping[str, object]  # as `mpsdoctor_worker.steps.arguments_seen` records it
Condition = Callable[[Given], bool]

RESULT = "result"
# Dtypes that have a word of their own.
GROUPS = {
    "INTEGER": ("uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "bool"),
    "HALF": ("float16", "bfloat16"),
    "COMPLEX": ("complex32", "complex64"),
}
ANY = "*"  # for the name of an argument
TENSOR = re.compile(r"(?P<name>\w+|\*)\.(?P<what>dtype|rank|size)(?P<how>!=|=|>)(?P<value>.+)")
VALUE = re.compile(r"(?P<name>\w+)(?P<how>=|>)(?P<value>.+)")


class TensorGiven(NamedTuple):
    dtype: str
    sizes: tuple[int, ...]


def tensors(given: Given, name: str) -> Iterator[TensorGiven]:
    """The tensors of one argument: none, one, or those of a list; of any argument, results included."""
    values = list(given.values()) if name == ANY else [given.get(name)]
    for one in (one for value in values for one in (value if isinstance(value, list) else [value])):
        if isinstance(one, Mapping) and isinstance(one.get("sizes"), list):
            yield TensorGiven(str(one.get("dtype")), tuple(size or 0 for size in one["sizes"]))


def first_tensor(given: Given) -> TensorGiven | None:
    """The first tensor among the arguments."""
    return next((tensor for name in given if name != RESULT for tensor in tensors(given, name)), None)


def condition(word: str) -> Condition:
    """The condition that a word stands for; the words are explained at the head of data/mps_refusals.txt."""
    if word.startswith(":"):
        return NAMED[word[1:]]
    if word.startswith("!"):
        return lambda given: word[1:] not in given
    if match := TENSOR.fullmatch(word):
        return of_tensor(match["name"], match["what"], match["how"], match["value"])
    if match := VALUE.fullmatch(word):
        return of_value(match["name"], match["how"], match["value"])
    return lambda given: any(True for name in word.split("|") for _ in tensors(given, name))


def of_tensor(name: str, what: str, how: str, value: str) -> Condition:
    """A tensor of the argument has one of these dtypes, or none of them, so many dimensions, or a longer one."""
    if what == "dtype":
        dtypes = frozenset(GROUPS.get(value, value.split(",")))
        return lambda given: any((tensor.dtype in dtypes) == (how == "=") for tensor in tensors(given, name))

    def holds(tensor: TensorGiven) -> bool:
        number = len(tensor.sizes) if what == "rank" else max(tensor.sizes, default=0)
        return number > int(value) if how == ">" else number == int(value)

    return lambda given: any(holds(tensor) for tensor in tensors(given, name))


def of_value(name: str, how: str, value: str) -> Condition:
    """An argument that is no tensor has this value, or is above it; of a list, its length."""
    if how == "=":
        return lambda given: name in given and str(given[name]) == value

    def holds(given: Given) -> bool:
        actual = given.get(name)
        number = len(actual) if isinstance(actual, list) else actual
        return isinstance(number, int) and number > int(value)

    return holds


def every(conditions: Sequence[Condition]) -> Condition:
    return lambda given: all(holds(given) for holds in conditions)


def is_projected(given: Given) -> bool:
    """Whether an LSTM projects: its hidden state is narrower than its cell state. Packed sequences go another way."""
    widths = [tensor.sizes[-1] for tensor in tensors(given, "hx") if tensor.sizes]
    return "input" in given and len(widths) == 2 and widths[0] != widths[1]


def cumulates_int64(given: Given) -> bool:
    """Whether a running sum or product is taken of int64, or in it."""
    cumulated = next(tensors(given, "self"), None)
    return given.get("dtype", cumulated.dtype if cumulated else None) == "int64"


def sides(given: Given) -> list[tuple[int, int]]:
    """Sizes in and out of the last two dimensions of a pooling, where both are known and none is empty."""
    before, after = next(tensors(given, "self"), None), next(tensors(given, RESULT), None)
    pairs = list(zip(before.sizes[-2:], after.sizes[-2:], strict=False)) if before and after else []
    return pairs if all(a and b for a, b in pairs) else []


def is_indivisible(given: Given) -> bool:
    """Whether along one of the last two dimensions neither of the sizes in and out is a multiple of the other."""
    return any(a % b and b % a for a, b in sides(given))


def goes_both_ways(given: Given) -> bool:
    """Whether a pooling makes one of the last two dimensions longer and the other shorter."""
    return any(a > b for a, b in sides(given)) and any(a < b for a, b in sides(given))


NAMED: dict[str, Condition] = {
    "projected": is_projected,
    "cumulates_int64": cumulates_int64,
    "indivisible": is_indivisible,
    "both_ways": goes_both_ways,
}
