"""The line that keeps a script from following, read from its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpsdoctor.race import blame
from mpsdoctor.texts import Part
from mpsdoctor.worker.race_shapes import Place


def told(tmp_path: Path, source: str, kind: str, ran_on: list[str], moves: dict[str, Place] | None = None) -> Part:
    file = tmp_path / "train.py"
    file.write_text(source)
    return blame.blame([str(file)], kind, ran_on, moves or {}, {"file": str(file), "line": 1})


@pytest.mark.parametrize(
    ("source", "kind", "ran_on", "line"),
    [
        ("import torch\nDEVICE = torch.device('mps')\nmodel.to(DEVICE)\n", "cpu", "mps", 2),
        ("import torch\nmodel = net()\nmodel.to('mps')\nprint('mps')\n", "cpu", "mps", 3),
        ("import torch\nmodel = net()\nmodel.cuda()\n", "cpu", "cuda", 3),
        ("import torch\nx = torch.ones(3, device='mps:0')\n", "cpu", "mps", 2),
        ("parser.add_argument('--epochs')\nparser.add_argument('--device', default='mps')\n", "cpu", "mps", 2),
        ("import torch\ndevice = 'cuda' if torch.cuda.is_available() else 'cpu'\n", "mps", "cpu", 2),
        (
            "import torch\nif torch.cuda.is_available():\n    device = 'cuda'\nelse:\n    device = 'cpu'\n",
            "mps",
            "cpu",
            2,
        ),
        ("import torch\nprint('on the cpu')\ndev = 'cpu'\n", "mps", "cpu", 3),
        ("torch.set_default_device('mps')\n", "cpu", "mps", 1),
        ("config = {'device': 'mps'}\n", "cpu", "mps", 1),
    ],
)
def test_the_line_is_named(tmp_path: Path, source: str, kind: str, ran_on: str, line: int) -> None:
    """A literal, a call or a question that knows other devices alone."""
    found = told(tmp_path, source, kind, [ran_on])
    assert (found.name, found.values["line"]) == ("race_blame_line", line)
    assert "get_optimal_device" in str(found)


def test_a_choice_by_what_there_is_is_not_to_blame(tmp_path: Path) -> None:
    """`else "cpu"` of a choice that asks for mps follows; what moves the model is named then."""
    source = "import torch\ndevice = 'mps' if torch.backends.mps.is_available() else 'cpu'\nmodel.to(other)\n"
    found = told(tmp_path, source, "mps", ["cpu"], {"cpu": {"file": str(tmp_path / "train.py"), "line": 3}})
    assert (found.name, found.values["line"]) == ("race_blame_move", 3)


def test_a_model_that_nothing_moves(tmp_path: Path) -> None:
    """The line that makes a step is named, and what to write before it."""
    found = told(tmp_path, "optimizer.step()\n", "mps", ["cpu"])
    assert found.name == "race_blame_nothing"
    assert "model.to(device)" in str(found)


def test_a_library_that_wants_to_be_told(tmp_path: Path) -> None:
    """Its own way of writing it is told."""
    found = told(tmp_path, "from ultralytics import YOLO\nYOLO('x').train()\n", "mps", ["cpu"])
    assert found.name == "race_blame_library"
    assert "model.train(device=str(device))" in str(found)


def test_what_cannot_be_read_blames_nobody(tmp_path: Path) -> None:
    """A newer Python's syntax, a file that is gone."""
    assert told(tmp_path, "def (:\n", "mps", ["cpu"]).name == "race_blame_nothing"
    assert blame.blame([str(tmp_path / "gone.py")], "mps", ["cpu"], {}, None).name == "race_not_followed"


def test_control_characters_of_a_line_are_spelled_out(tmp_path: Path) -> None:
    """A source is a stranger's text."""
    found = told(tmp_path, "device = 'mps'  # \x1b[31m\n", "cpu", ["mps"])
    assert "\x1b" not in str(found)
