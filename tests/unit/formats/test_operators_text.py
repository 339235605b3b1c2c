"""What `mpsdoctor ops` prints, from rows as the check makes them."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len

from mpsdoctor.formats import Style
from mpsdoctor.formats.operators import table


def row(outcome: str, dtype: str, *variants: str, direction: str = "forward", **more: Any) -> Any:
    made = {"op": "aten::cumsum", "device": "mps", "dtype": dtype, "direction": direction, "outcome": outcome}
    return {**made, "variants": list(variants), "detail": "", **more}


def lines(*rows: Any) -> list[str]:
    return list(table(rows, Style(), lambda text, colour: text, everything=True))[2:]


def test_layouts_stand_beside_their_dtypes() -> None:
    """What is right in float32 and wrong in float16 reads so: dtype, direction and layouts in one line."""
    assert lines(
        row("ok", "float32", "contiguous", "strided"),
        row("ok", "float32", "contiguous", "strided", direction="backward"),
        row("ok", "float16", "contiguous"),
        row("wrong", "float16", "strided", entry="cumsum"),
    ) == [
        "✗ wrong         aten::cumsum                      mps      float16",
        "                forward: strided",
        "✓ ok            aten::cumsum                      mps      float32, float16",
        "                float32 forward, backward: contiguous, strided",
        "                float16 forward: contiguous (with other inputs)",
    ]


def test_inputs_are_named_where_an_operator_has_several() -> None:
    """The same dtype and layout may be wrong for one shape and right for another."""
    told = lines(
        row("wrong", "float16", "contiguous", entry="cumsum.inner"),
        row("wrong", "float16", "contiguous", entry="cumsum.long"),
        row("ok", "float16", "contiguous"),
    )
    assert told[1] == "                forward: contiguous (inputs cumsum.inner, cumsum.long)"
    assert told[-1] == "                forward: contiguous (with other inputs)"


def test_rows_of_an_operator_stand_together() -> None:
    """The operator with the worst outcome first, with all that is known of it."""
    ops = [
        row("ok", "float32", "contiguous", op="aten::add"),
        row("ok", "float32", "contiguous"),
        row("nan", "float32", "strided", entry="cumsum"),
        row("error", "float32", "strided", op="aten::sub", entry="sub"),
    ]
    heads = [line.split()[:3] for line in lines(*ops) if not line.startswith(" ")]
    assert [head[2] for head in heads] == ["aten::cumsum", "aten::cumsum", "aten::sub", "aten::add"]
    assert [head[1] for head in heads] == ["nan", "ok", "error", "ok"]


def test_columns_hold_for_names_in_chinese() -> None:
    """A name of somebody else's takes two cells a character."""
    (head, _) = lines(row("wrong", "float32", "contiguous", op="库::运算"))
    assert cell_len(head[: head.index("mps")]) == 50
