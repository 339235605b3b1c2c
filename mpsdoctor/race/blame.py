"""Which line keeps a script from following, and what to write instead: read from its files, never run. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mpsdoctor import clean
from mpsdoctor.texts import Part
from mpsdoctor.worker.race_shapes import Place

LARGEST = 1 << 20  # bytes of a file
LONGEST = 100  # characters of a line that is shown
ASKS = re.compile(r"is_available|is_built|device_count|current_accelerator")
# Libraries that train on the CPU until they are told, and how they are told.
TOLD = {
    "ultralytics": "model.train(device=str(device))",
    "skorch": "NeuralNet(…, device=str(device))",
    "stable_baselines3": 'PPO("MlpPolicy", env, device=device)',
    "torchtune": "device={device} in the recipe's config",
    "sentence_transformers": "SentenceTransformer(…, device=str(device))",
    "fastai": "dataloaders(…, device=device)",
    "thinc": "thinc.api.require_gpu()",
    "spacy": "spacy.require_gpu()",
    "lightning": "Trainer(accelerator=device.type, devices=1)",
    "pytorch_lightning": "Trainer(accelerator=device.type, devices=1)",
    "transformers": 'TrainingArguments(use_cpu=device.type == "cpu")',
    "accelerate": 'Accelerator(cpu=device.type == "cpu")',
}


class Suspect(NamedTuple):
    """A line that may be to blame; the lower its rank the likelier."""

    rank: int
    file: Path
    line: int
    text: str


def blame(files: Sequence[str], kind: str, ran_on: Sequence[str], moves: dict[str, Place], place: Place | None) -> Part:
    """The line that puts a training on `ran_on` in place of `kind`, and what to write there."""
    others = [device for device in ran_on if device != kind] or ["cpu"]
    wrong = next((device for device in others if device != "cpu"), others[0])
    sources = list(read_sources(files))
    suspects = sorted(
        (suspect for file, source in sources for suspect in suspects_in(file, source, wrong, kind)),
        key=lambda suspect: (suspect.rank, [file for file, _ in sources].index(suspect.file), suspect.line),
    )
    library = library_of([source for _, source in sources])
    where = suspects[0] if suspects else line_of(moves.get(wrong)) or (None if library else line_of(place))
    write = (
        TOLD[library].replace("{device}", kind) if library and not suspects else "device, info = get_optimal_device()"
    )
    figures = {"device": kind, "ran_on": list(ran_on), "write": write}
    if where is None and library is None:
        return Part("race_not_followed")
    if where is None:
        return Part("race_blame_library", {**figures, "library": library})
    seen = {**figures, "file": clean.line(where.file.name), "line": where.line, "text": clean.line(where.text)}
    named = "race_blame_line" if suspects else "race_blame_move" if wrong in moves else "race_blame_nothing"
    return Part(named, seen)


def read_sources(files: Sequence[str]) -> Iterator[tuple[Path, str]]:
    for file in map(Path, files):
        try:
            if file.stat().st_size <= LARGEST:
                yield file, file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue


def line_of(place: Place | None) -> Suspect | None:
    if place is None:
        return None
    text = ""
    for _, source in read_sources([place["file"]]):
        lines = source.splitlines()
        text = lines[place["line"] - 1] if 0 < place["line"] <= len(lines) else ""
    return Suspect(9, Path(place["file"]), place["line"], text.strip()[:LONGEST])


def library_of(sources: Sequence[str]) -> str | None:
    """The training library that the files import, if one is known."""
    found = {name for source in sources for name in re.findall(r"^\s*(?:import|from)\s+(\w+)", source, re.MULTILINE)}
    return next((name for name in TOLD if name in found), None)


def suspects_in(file: Path, source: str, wrong: str, kind: str) -> Iterator[Suspect]:
    """Lines of a file that name the wrong device, or ask only for others than the right one."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):  # a newer Python's, or no Python
        return
    lines = source.splitlines()

    def suspect(rank: int, node: ast.AST) -> Suspect:
        number = getattr(node, "lineno", 1)
        return Suspect(rank, file, number, lines[number - 1].strip()[:LONGEST])

    asked = ASKS.search(source) is not None and (kind in source or "accelerator" in source or "get_optimal" in source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp | ast.If) and ASKS.search(ast.unparse(node.test)) and wrong == "cpu":
            if not asked:
                yield suspect(0, node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == wrong:
            if not (node.args or is_module(node.func.value)):
                yield suspect(1, node)
        elif names(node, wrong) and not falls_back(node, parents):
            yield suspect(1 if in_context(node, parents) else 5, node)


def is_module(value: ast.AST) -> bool:
    """`torch.cuda()` is no move of a model."""
    return isinstance(value, ast.Name) and value.id == "torch"


def names(node: ast.AST, device: str) -> bool:
    """Whether it is a literal as `"mps"` or `"mps:0"`."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.partition(":")[0] == device


def falls_back(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether it stands where torch has been asked what there is, so that hiding a device decides."""
    above: ast.AST | None = node
    while above := parents.get(above) if above else None:
        if isinstance(above, ast.IfExp | ast.If) and ASKS.search(ast.unparse(above.test)):
            return True
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            return False
    return False


def in_context(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a device is what the literal is for: an argument, a default or a name that says so."""
    above = parents.get(node)
    if isinstance(above, ast.keyword):
        call = parents.get(above)
        option = isinstance(call, ast.Call) and any("device" in ast.unparse(part) for part in call.args)
        return (above.arg or "") in ("device", "map_location", "accelerator", "device_type") or option
    if isinstance(above, ast.Call):
        name = above.func.attr if isinstance(above.func, ast.Attribute) else getattr(above.func, "id", "")
        return name in ("device", "to", "set_default_device", "Device")
    if isinstance(above, ast.Assign | ast.AnnAssign):
        targets = above.targets if isinstance(above, ast.Assign) else [above.target]
        return any("dev" in ast.unparse(target).lower() for target in targets)
    return False
