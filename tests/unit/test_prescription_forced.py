"""What a check-up keeps of forced MPS, and what it tells of the device that is forced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from helpers.trainer import sample
from mpsdoctor import prescription
from mpsdoctor.events import Settings
from mpsdoctor.formats import schemas
from mpsdoctor.report import Forced, Report
from mpsdoctor.runtime import profile
from mpsdoctor.runtime.shapes import Fingerprint, Profile

RECORDED = Path(__file__).parent / "recorded"
TORCH = "2.13.0"


def report(name: str = "trouble", device: str = "mps") -> Report:
    """A recorded report whose simulated accelerator is called otherwise."""
    text = (RECORDED / f"{name}.json").read_text(encoding="utf-8").replace('"sim"', f'"{device}"')
    return msgspec.json.decode(text, type=Report)


def prescribed(previous: Profile | None = None, name: str = "trouble") -> Profile:
    machine: Fingerprint = {"os": None, "os_version": None, "arch": None, "chip": None, "memory_bytes": None}
    return prescription.prescribe(report(name), {**machine, "python": None, "torch": TORCH}, previous)


def test_failed_operators_and_trainings_are_known_to_be_wrong() -> None:
    """The training that rules mps out comes first, then operators in the core, each once."""
    rows = prescribed()["known_wrong"]
    assert [row["id"] for row in rows] == ["transformer training", "mlp training", "aten::gelu"]
    assert rows[0] == {"id": "transformer training", "device": "mps", "what": "diverged"}
    assert rows[-1] == {"id": "aten::gelu", "device": "mps", "what": "wrong"}


def operators(*rows: tuple[str, str, str], core: str = "") -> Any:
    """Facts with these operators, dtypes and outcomes on mps."""
    results = [{"op": op, "device": "mps", "dtype": dtype, "outcome": outcome} for op, dtype, outcome in rows]
    return {"results": results, "core_failures": {"mps": [{"op": core}]}}


def test_what_training_needs_comes_first_and_half_types_last() -> None:
    """Three are named to a script: those of the core in float32 before others."""
    facts = operators(
        ("aten::sum", "float16", "nan"),
        ("aten::sgn", "float32", "crash"),
        ("aten::relu", "float32", "ok"),
        ("aten::softmax", "float32", "wrong"),
        ("aten::sgn", "float16", "wrong"),
        core="aten::softmax",
    )
    rows = prescription.known_wrong(None, facts)
    assert [(row["id"], row["what"]) for row in rows] == [
        ("aten::softmax", "wrong"),
        ("aten::sgn", "crash"),
        ("aten::sum", "nan in float16"),
    ]


def test_hostile_and_countless_rows_still_make_a_profile(tmp_path: Path) -> None:
    """Names are escaped and cut, rows bounded, so that readers take the file."""
    facts = operators(*((f"\x1b[31m{number}" + "x" * 999, "float32\n", "wrong") for number in range(2000)))
    rows = prescription.known_wrong(None, facts)
    assert len(rows) == prescription.MOST_WRONG
    profile.write(sample(known_wrong=rows), tmp_path / "p.json")
    read = profile.read(tmp_path / "p.json")["known_wrong"]
    assert max(len(row["id"]) for row in read) < 120
    assert all(f"{row['id']}{row.get('what')}".isprintable() for row in read)


def test_the_profile_follows_its_schema(tmp_path: Path) -> None:
    """What is written is valid by the schema that is promised."""
    profile.write(prescribed(sample(force_mps=True, force_mps_torch=TORCH)), tmp_path / "p.json")
    jsonschema.validate(json.loads((tmp_path / "p.json").read_text()), schemas.schema("profile"))


@pytest.mark.parametrize(
    ("forced", "until", "kept"),
    [
        (True, TORCH, (True, TORCH)),
        (True, None, (True, None)),
        (True, "2.12.0", (False, None)),
        (False, None, (False, None)),
    ],
)
def test_a_check_up_drops_what_held_until_torch_changed(
    forced: bool, until: str | None, kept: tuple[bool, str | None]
) -> None:
    """The override is kept, but not where it was set for another torch."""
    written = prescribed(sample(force_mps=forced, force_mps_torch=until))
    assert (written["force_mps"], written["force_mps_torch"]) == kept


def test_the_report_tells_what_the_profile_forces(tmp_path: Path) -> None:
    """The note about the profile holds the recommended device, and speed and mistakes of mps, as just measured."""
    path = tmp_path / "p.json"
    settings = Settings(profile_path=str(path), write_profile=False)
    assert prescription.record(report(), settings)[0].profile.forced is None
    profile.write(sample(force_mps=True), path)
    forced = prescription.record(report(), settings)[0].profile.forced
    assert forced is not None
    assert (forced.until_torch, forced.recommended) == (None, "cpu")
    assert forced.wrong == ("transformer training (diverged)", "mlp training (diverged)", "gelu")
    assert forced.speedup
    profile.write(sample(force_mps=True, force_mps_torch="1.0"), path)
    assert prescription.record(report(), settings)[0].profile.forced is None


def test_a_report_without_a_verdict_tells_it_from_the_profile(tmp_path: Path) -> None:
    """A cancelled check-up shows what was measured before."""
    cancelled = msgspec.structs.replace(report(), verdict=None)
    known = [{"id": "aten::add", "device": "mps:0"}, {"id": "aten::sub", "device": "cuda"}]
    content = sample(force_mps=True, speeds={"mps": {"speedup": 0.5, "ci95": [0.4, 0.6]}}, known_wrong=known)
    assert prescription.forced(cancelled, content) == Forced(None, "cpu", 0.5, (0.4, 0.6), ("add",))


def test_a_profile_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """Without the keys that came later it is valid, and what it forces is forced for every torch."""
    old = {key: value for key, value in sample(force_mps=True).items() if key not in ("speeds", "force_mps_torch")}
    (tmp_path / "p.json").write_text(json.dumps(old))
    assert prescription.forced(None, profile.read(tmp_path / "p.json")) == Forced(None, "cpu")
