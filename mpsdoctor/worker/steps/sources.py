"""What the line says that runs: whether a call names the CPU, whether a reading of a device is a question."""

from __future__ import annotations

import ast
import functools
import itertools
import linecache
import re
from types import FrameType

NAMES_CPU = re.compile(r"cpu|\bhost", re.IGNORECASE)
QUOTED_CPU = re.compile(r"""["']cpu(:\d+)?["']""")
METHODS = ("startswith", "lower")
KINDS = ("Compare", "If", "IfExp", "While", "BoolOp", "UnaryOp", "Subscript", "Match", "Assert")
DECIDING = tuple(getattr(ast, name) for name in KINDS if hasattr(ast, name))  # ast.Match since Python 3.10


def names_cpu(frame: FrameType) -> bool:
    """Whether the call that runs in a frame names the CPU as the device, other than as a last resort."""
    return call_names_cpu(*_position(frame))


@functools.lru_cache(maxsize=4096)
def call_names_cpu(file: str, start: int, end: int, begin: int | None, stop: int | None) -> bool:
    text = _segment(file, start, end, begin, stop)
    try:
        call = ast.parse(f"(\n{text}\n)", mode="eval").body
    except SyntaxError:
        return bool(QUOTED_CPU.search(text)) and " else " not in text
    if not isinstance(call, ast.Call):
        return False
    values = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg in (None, "device"))]
    return any(NAMES_CPU.search(ast.unparse(value)) for value in values if is_device_like(value))


def is_device_like(value: ast.expr) -> bool:
    """Whether an argument may be a device: a word, a name, or `torch.device(…)` with one."""
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).endswith("device") and all(map(is_device_like, value.args))
    return isinstance(value, (ast.Name, ast.Attribute)) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str)
    )


def asks_for_kind(frame: FrameType) -> bool:
    """Whether `.device` is read in a frame to be compared, there or where the name it gets is."""
    return reading_asks(*_position(frame))


@functools.lru_cache(maxsize=4096)
def reading_asks(file: str, start: int, end: int, begin: int | None, stop: int | None) -> bool:
    parents = _parsed(file)
    if parents is None:
        return False
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "device"
        and node.lineno == start
        and (begin is None or (node.end_lineno, node.end_col_offset) == (end, stop))
        and _is_question(node, parents)
        for node in parents
    )


def _is_question(node: ast.AST, parents: dict[ast.AST, ast.AST], depth: int = 0) -> bool:
    """Whether what a node gives decides something: it is compared, or a name for it is."""
    parent = parents.get(node)
    if isinstance(parent, ast.Attribute) and parent.attr in ("type", "index", "startswith", "lower"):
        return isinstance(parents.get(parent), ast.Call) == (parent.attr in METHODS) and _is_question(
            parents[parent] if parent.attr in METHODS else parent, parents, depth
        )
    if isinstance(parent, ast.Assign) and depth < 3:
        names = {target.id for target in parent.targets if isinstance(target, ast.Name)}
        uses = (other for other in ast.walk(_scope(parent, parents)) if _loads(other, names))
        return any(_is_question(other, parents, depth + 1) for other in uses)
    if isinstance(parent, ast.Call) and node in parent.args and ast.unparse(parent.func) == "str":
        return _is_question(parent, parents, depth)
    return isinstance(parent, DECIDING)


def _loads(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load)


def _scope(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST:
    """The function, or the module, that a node is in."""
    while not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)):
        node = parents[node]
    return node


@functools.lru_cache(maxsize=64)
def _parsed(file: str) -> dict[ast.AST, ast.AST] | None:
    """The nodes of a file, each with the one it is part of."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return None
    return {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}


def _position(frame: FrameType) -> tuple[str, int, int, int | None, int | None]:
    """File, first and last line of what runs, and its columns in bytes; before Python 3.11 the line alone."""
    code, line = frame.f_code, frame.f_lineno
    find = getattr(code, "co_positions", None)
    if find is None:
        return code.co_filename, line, line, None, None
    start, end, begin, stop = next(itertools.islice(find(), frame.f_lasti // 2, None), (line, line, None, None))
    return code.co_filename, start or line, end or line, begin, stop


def _segment(file: str, start: int, end: int, begin: int | None, stop: int | None) -> str:
    """The text of a file between two places."""
    lines = [line.encode() for line in linecache.getlines(file)[start - 1 : end]]
    if not lines or begin is None:
        return b"".join(lines).decode().strip()
    lines[-1] = lines[-1][:stop]
    lines[0] = lines[0][begin:]
    return b"".join(lines).decode(errors="replace")
