"""Results on MPS are shown beside what PyTorch's own tests say of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import rows as rows_of
from mpsdoctor.facts import build_facts
from mpsdoctor.worker.shapes import ProbeResult
from mpsdoctor_checks.operators.grouping import group_rows
from mpsdoctor_checks.operators.known import annotate
from mpsdoctor_checks.operators.rules import finding_of

LISTS = """
def mps_ops_modifier(ops):
    UNIMPLEMENTED_XFAILLIST = {"cummax": None}
    XFAILLIST = {"nn.functional.gelu": [torch.float16]}
    return ops

def mps_ops_grad_modifier(ops):
    XFAILLIST_GRAD = {"cumprod": [torch.float32]}
    return ops
"""


@pytest.fixture
def torch_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "testing" / "_internal"
    folder.mkdir(parents=True)
    (folder / "common_mps.py").write_text(LISTS)
    return tmp_path


def row(op: str, dtype: str, direction: str, outcome: str) -> ProbeResult:
    return rows_of.probe(f"aten::{op}", outcome, dtype=dtype, direction=direction, detail="it failed")


def test_a_known_failure_is_told_beside_the_result(torch_folder: Path) -> None:
    """Operator, dtype and direction must fit; a result that is right needs no excuse."""
    rows = [
        row("cummax", "float32", "forward", "unimplemented"),
        row("gelu", "float16", "forward", "wrong"),
        row("gelu", "float32", "forward", "wrong"),
        row("cumprod", "float32", "backward", "wrong"),
        row("cumprod", "float32", "forward", "wrong"),
        row("cummax", "float32", "forward", "ok"),
    ]
    annotate(rows, torch_folder)
    assert ["known" in result for result in rows] == [True, True, False, True, False, False]
    lacking = [group_rows([rows[place]]) for place in (0, 2)]
    details = [finding_of("unimplemented", "mps", group, build_facts({})).detail for group in lacking]
    assert details[0].endswith("it failed (PyTorch's own tests: cummax is not implemented on MPS)")
    assert details[1].endswith("it failed")


def test_a_torch_without_such_lists_adds_nothing(tmp_path: Path) -> None:
    """Before torch 2.8 there is no such file."""
    rows = [row("cummax", "float32", "forward", "unimplemented")]
    annotate(rows, tmp_path)
    assert "known" not in rows[0]
