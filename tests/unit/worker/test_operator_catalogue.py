"""The catalogue: its entries are what they say, and the plan puts first what training does most."""

from __future__ import annotations

import itertools
import warnings
from collections import Counter

import pytest
import torch

from helpers.judgements import in_words
from mpsdoctor.worker.operators.catalogue import CATALOGUE, FAMILIES, USAGE
from mpsdoctor.worker.operators.catalogue.entry import CORE, SHAPES, Entry, Input, entry, variants, x
from mpsdoctor.worker.operators.catalogue.inputs import LAYOUTS, place, shape_of, values
from mpsdoctor.worker.operators.catalogue.resolve import available, resolve, torch_version
from mpsdoctor.worker.operators.probes import Case, core, make_arguments, plan, probe
from mpsdoctor.worker.shapes import PlannedProbe

HALF_AND_SINGLE = ["float32", "float16", "bfloat16"]
ALL = [*HALF_AND_SINGLE, "int64", "bool"]


def test_every_operator_in_order_of_use_is_in_the_catalogue() -> None:
    """A name that no entry has would order nothing."""
    assert set(USAGE) <= {item.op for item in CATALOGUE.values()}


def test_names_are_unique() -> None:
    """No entry hides another."""
    assert len(CATALOGUE) == sum(len(family.ENTRIES) for family in FAMILIES)


def test_three_hundred_operators() -> None:
    """The catalogue knows at least three hundred operators."""
    assert len({item.op for item in CATALOGUE.values()}) >= 300


def test_every_call_exists_in_this_torch() -> None:
    """An entry whose call no torch has would never be missed; the newest torch has all."""
    assert [name for name, item in CATALOGUE.items() if not available(item)] == []


def test_widened_tolerances_have_a_reason() -> None:
    """Every slack says why."""
    assert [name for name, item in CATALOGUE.items() if item.slack > 1 and not item.because] == []


def called(item: Entry) -> set[str]:
    """The names of all operators that a call goes through, composite ones too."""
    case = Case(item, torch.float32 if "float32" in item.dtypes else torch.int64, "contiguous", "forward")
    # transposed, since what is contiguous is not copied again
    args, kwargs, _ = make_arguments(case, lambda spec, seed: place(spec, "transposed", case.dtype, seed, "cpu")[0])
    with warnings.catch_warnings(), torch.autograd.profiler.profile() as profile:
        warnings.simplefilter("ignore")
        case.function(*args, **kwargs)
    return {event.name for event in profile.function_events}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__.rpartition(".")[2])
def test_aten_names_are_those_called(family: object) -> None:
    """The operator an entry names is one that its call goes through."""
    items: list[Entry] = family.ENTRIES  # type: ignore[attr-defined]
    assert {item.name: item.op for item in items if item.op not in called(item)} == {}


def test_the_plan_begins_with_what_training_does_most() -> None:
    """Core operators in float32 come first, every one of them in one case before any is in a second."""
    rows = [row for row in plan("standard", ALL) if row.variant == "contiguous"]
    first = rows[:60]
    assert {row.dtype for row in first} == {"float32"}
    assert {CATALOGUE[row.entry].rank for row in first} == {CORE}
    assert [row.op for row in first[:6:2]] == ["aten::linear", "aten::add", "aten::mul"]
    assert len({row.op for row in first}) == len({row.entry for row in first})


@pytest.mark.parametrize("level", ["quick", "standard", "thorough"])
def test_layouts_follow_the_shape_that_is_compiled(level: str) -> None:
    """MPS compiles by dtype and sizes, so the layouts of an entry stand directly after its plain probe."""
    rows = plan(level, ALL)
    blocks = [key for key, _ in itertools.groupby((row.entry, row.dtype, row.variant in SHAPES) for row in rows)]
    assert len(blocks) == len(set(blocks))
    for _, block in itertools.groupby(rows, key=lambda row: (row.entry, row.dtype, row.variant in SHAPES)):
        assert next(block).variant in ("contiguous", *SHAPES)


def test_half_dtypes_wait_until_float32_is_done_with_its_layouts() -> None:
    """Of an operator no half dtype is probed before all of float32; nor is any before the core of float32."""
    rows = plan("standard", ALL)
    last: dict[str, int] = {}
    first: dict[str, int] = {}
    for turn, row in enumerate(rows):
        if row.dtype == "float32":
            last[row.entry] = turn
        elif row.dtype in HALF_AND_SINGLE:
            first.setdefault(row.entry, turn)
    assert [name for name, turn in first.items() if turn < last.get(name, -1)] == []
    assert min(first.values()) > max(last[name] for name in core() if name in last)


def test_levels_contain_each_other() -> None:
    """Standard has all of quick, thorough all of standard, and each has no probe twice."""
    names = ("quick", "standard", "thorough")
    levels = [Counter(tuple(row) for row in plan(level, HALF_AND_SINGLE)) for level in names]
    assert all(max(rows.values()) == 1 for rows in levels)
    assert set(levels[0]) < set(levels[1]) < set(levels[2])


def test_quick_has_sixty_operators_in_both_directions_and_three_dtypes() -> None:
    """The least that a check-up promises."""
    rows = plan("quick", HALF_AND_SINGLE)
    for dtype in HALF_AND_SINGLE:
        both = [
            {row.op for row in rows if (row.dtype, row.direction) == (dtype, way)} for way in ("forward", "backward")
        ]
        assert len(both[0]) >= 60
        assert len(both[1]) >= 60


def test_a_row_names_the_operator_of_its_variant() -> None:
    """In-place probes are about the in-place operator."""
    rows = plan("thorough", ["float32"])
    assert PlannedProbe("relu", "aten::relu_", "float32", "inplace-view", "forward") in rows
    assert PlannedProbe("relu", "aten::relu", "float32", "strided", "backward") in rows


def test_missing_operators_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that this torch lacks, or has with other arguments, is not planned."""
    absent = [entry("none", "torch.no_such_function", x(2)), entry("abs", "torch.abs", x(2), case="late", since=(9, 0))]
    for item in absent:
        monkeypatch.setitem(CATALOGUE, item.name, item)
    assert not {"none", "abs.late"} & {row.entry for row in plan("thorough", ["float32"])}


def test_dtypes_the_cpu_lacks_are_planned_elsewhere() -> None:
    """What torch's CPU has no kernel for is probed on other devices all the same."""
    rows = {device: plan("thorough", ALL, device) for device in ("cpu", "mps")}
    dtypes = {device: {row.dtype for row in rows[device] if row.entry == "avg_pool3d"} for device in rows}
    assert dtypes == {"cpu": {"float32"}, "mps": {"float32", "float16", "bfloat16"}}


def test_core_entries_exist() -> None:
    """What the verdict rests on is in the catalogue: products, convolutions, norms, losses, optimizer steps."""
    assert set(core()) <= set(CATALOGUE)
    needed = ("mm", "addmm", "linear", "conv2d", "softmax", "layer_norm", "batch_norm", "gelu", "relu", "embedding",
              "cross_entropy_loss", "sum.all", "mean.all", "add", "mul", "scaled_dot_product_attention",
              "addcdiv_.adam_single", "_foreach_addcdiv_.adamw_foreach")  # fmt: skip
    assert set(needed) <= set(core())


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 4), (2, 3, 4, 5), (2, 3, 2, 3, 2)])
def test_layouts_hold_the_same_values(layout: str, shape: tuple[int, ...]) -> None:
    """A view finds the values that were packed, in every layout a tensor of that shape can take."""
    spec = Input(shape)
    view, base = place(spec, layout, torch.float32, "seed", "cpu")
    assert torch.equal(view, values(spec, layout, torch.float32, "seed"))
    assert view.untyped_storage().data_ptr() == base.untyped_storage().data_ptr()


def test_layouts_differ_from_contiguous() -> None:
    """Each layout is one that kernels have to read with care."""
    strides = {name: place(Input((2, 3, 4, 5)), name, torch.float32, "seed", "cpu")[0] for name in LAYOUTS}
    contiguous = strides.pop("offset")
    assert contiguous.storage_offset() > 0
    assert [name for name, view in strides.items() if view.is_contiguous()] == []


def test_shape_variants() -> None:
    """Data changes its shape with the variant, parameters keep theirs."""
    data, parameter = x(4, 6), Input((6,), role="parameter")
    shapes = {name: shape_of(data, name) for name in ("zero-dim", "empty", "5d", "contiguous")}
    assert shapes == {"zero-dim": (), "empty": (0, 6), "5d": (2, 1, 2, 4, 6), "contiguous": (4, 6)}
    assert shape_of(parameter, "empty") == (6,)


def test_variants_follow_from_shapes() -> None:
    """An entry has the layouts that its inputs can take, and only those."""
    assert variants(entry("a", "torch.abs", x(3))) == ["contiguous", "offset", "strided"]
    assert "channels_last" in variants(entry("a", "torch.abs", x(1, 2, 3, 4)))


def test_values_are_the_same_at_every_call() -> None:
    """Seeds make a probe repeatable, and different inputs of a call different."""
    again = [values.__wrapped__(x(3), "contiguous", torch.float32, seed) for seed in ("a/1", "a/1", "a/2")]
    assert torch.equal(again[0], again[1])
    assert not torch.equal(again[0], again[2])


def test_versions() -> None:
    """The version of torch is read whatever its suffix."""
    assert torch_version() >= (2, 0)
    assert resolve("torch.no.such.thing") is None


def plant(monkeypatch: pytest.MonkeyPatch, call: object) -> None:
    """An entry `planted` whose call is ours; it serves as the device's as well as the reference's."""
    monkeypatch.setattr(torch, "planted", call, raising=False)
    monkeypatch.setitem(CATALOGUE, "planted", entry("planted", "torch.planted", x(3)))
    resolve.cache_clear()


def test_results_that_change_from_run_to_run_are_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong result that is another one the second time is reported as such."""
    counter = iter(range(1, 100))
    plant(monkeypatch, lambda value: value + (next(counter) if value.dtype == torch.float32 else 0) + 1)
    result = in_words(probe("planted", "cpu", "float32", "contiguous", "forward"))
    assert result["outcome"] == "wrong"
    assert result["detail"].endswith("; differs from run to run")


def test_an_operator_that_raises_has_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception on the device becomes a row, with the exact message."""

    def fail(value: torch.Tensor) -> torch.Tensor:
        if value.dtype == torch.float32:
            raise RuntimeError("nothing works")
        return value

    plant(monkeypatch, fail)
    result = probe("planted", "cpu", "float32", "offset", "forward")
    assert (result["outcome"], result["detail"]) == ("error", "RuntimeError: nothing works")
    assert (result["op"], result["variant"]) == ("aten::planted", "offset")


def test_unknown_entries_are_an_error() -> None:
    """A name the catalogue does not have is a mistake of the caller."""
    with pytest.raises(KeyError):
        probe("no such entry", "cpu", "float32", "contiguous", "forward")
