"""Training libraries: which device each takes by itself, and what the rules make of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mpsdoctor.check import Finding
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.build import Build
from mpsdoctor.facts.libraries import LibraryFacts, LibraryRow
from mpsdoctor.worker.torch_shapes import Packages
from mpsdoctor_checks.libraries.collect import list_libraries
from mpsdoctor_checks.libraries.rules import RULES
from mpsdoctor_checks.libraries.table import LIBRARIES

NEWEST = {
    "transformers": "5.24.0",
    "accelerate": "1.15.0",
    "lightning": "2.6.6",
    "keras": "3.15.1",
    "fastai": "2.8.12",
    "sentence-transformers": "6.2.0",
    "ultralytics": "8.4.190",
    "skorch": "1.4.0",
    "stable-baselines3": "2.9.2",
}


def build(*there: str, built: bool = False) -> Build:
    """Facts of a torch that offers these accelerators."""
    torch: Any = {
        "version": "2.13.0",
        "mps_built": built or "mps" in there,
        "mps_available": "mps" in there,
        "cuda_available": "cuda" in there,
        "error": None,
    }
    return {**build_facts({}), "torch": torch}


def listed(
    versions: dict[str, str], there: Build, variables: dict[str, str] | None = None, keras: str | None = None
) -> dict[str, LibraryRow]:
    here: Packages = {"versions": versions, "keras_backend": keras}
    return {row["name"]: row for row in list_libraries(here, there, variables or {})}


def picks(versions: dict[str, str], there: Build, variables: dict[str, str] | None = None) -> dict[str, str | None]:
    return {name: row["picks"] for name, row in listed(versions, there, variables).items()}


def found(
    picks: dict[str, str | None],
    recommended: str | None,
    unusable: tuple[str, ...] = (),
    variables: dict[str, str] | None = None,
) -> list[Finding]:
    """What the rules make of libraries that take these devices."""
    rows: list[LibraryRow] = [
        {"name": name, "version": "1.0", "picks": device, "follows_run": name != "old", "how": f"{name}(device)"}
        for name, device in picks.items()
    ]
    facts: LibraryFacts = {
        "libraries": rows,
        "recommended": {"device": recommended, "source": "measured"} if recommended else None,
        "unusable": list(unusable),
        "variables": variables or {},
    }
    return [finding for rule in RULES for finding in rule(facts)]


def test_each_library_takes_its_own_choice_on_a_mac() -> None:
    """Seven take MPS as soon as torch says that it is there; three stay on the CPU until they are told."""
    assert picks(NEWEST, build("mps")) == {
        **dict.fromkeys(("transformers", "accelerate", "lightning", "fabric", "keras", "fastai"), "mps"),
        "sentence-transformers": "mps",
        **dict.fromkeys(("ultralytics", "skorch", "stable-baselines3"), "cpu"),
    }


def test_all_but_skorch_take_cuda_where_it_is_alone() -> None:
    """skorch stays on the CPU there too."""
    on_cuda = picks(NEWEST, build("cuda"))
    assert on_cuda.pop("skorch") == "cpu"
    assert set(on_cuda.values()) == {"cuda"}


def test_a_machine_without_accelerator_has_every_library_on_the_cpu() -> None:
    """fastai alone asks whether torch is built with MPS, and takes it."""
    assert set(picks(NEWEST, build()).values()) == {"cpu"}
    there = picks(NEWEST, build(built=True))
    assert there.pop("fastai") == "mps"
    assert set(there.values()) == {"cpu"}


@pytest.mark.parametrize(
    ("name", "version", "device"),
    [
        ("transformers", "4.30.2", "cpu"),
        ("transformers", "4.31.0", "mps"),
        ("transformers", "5.0.0rc1", "mps"),
        ("sentence-transformers", "2.2.2", "cpu"),
        ("sentence-transformers", "2.3.1", "mps"),
        ("lightning", "1.9.5", "cpu"),
        ("keras", "2.15.0", None),
        ("keras", "not a version", "mps"),
    ],
)
def test_the_version_decides_where_it_matters(name: str, version: str, device: str | None) -> None:
    """Old ones took the CPU and had to be told of MPS; Keras 2 does not train on torch."""
    assert picks({name: version}, build("mps"))[name] == device


@pytest.mark.parametrize(
    ("name", "variables", "device"),
    [
        ("accelerate", {"ACCELERATE_TORCH_DEVICE": "cpu"}, "cpu"),
        ("accelerate", {"ACCELERATE_TORCH_DEVICE": "mps:0"}, "mps"),
        ("accelerate", {"ACCELERATE_USE_CPU": "True"}, "cpu"),
        ("accelerate", {"ACCELERATE_USE_CPU": "0"}, "mps"),
        ("transformers", {"ACCELERATE_TORCH_DEVICE": "cpu"}, "mps"),
        ("lightning", {"DISABLE_MPS": "1"}, "cpu"),
        ("lightning", {"DISABLE_MPS": "true"}, "mps"),
        ("lightning", {"PL_TRAINER_ACCELERATOR": "cpu"}, "cpu"),
        ("lightning", {"PL_TRAINER_ACCELERATOR": "auto"}, "mps"),
        ("keras", {"KERAS_TORCH_DEVICE": "cpu"}, "cpu"),
    ],
)
def test_the_variables_that_a_library_reads_count(name: str, variables: dict[str, str], device: str) -> None:
    """As the library reads them: what they name, or that MPS is switched off."""
    assert picks(NEWEST, build("mps"), variables)[name] == device


def test_keras_on_another_back_end_is_not_spoken_of() -> None:
    """What it takes is unknown then, and no finding names it; on torch alone it can only be torch."""
    there = build("mps")
    assert listed(NEWEST, there, keras="jax")["keras"]["picks"] is None
    assert listed({**NEWEST, "tensorflow": "2.20"}, there)["keras"]["picks"] is None
    assert listed({**NEWEST, "tensorflow": "2.20"}, there, keras="torch")["keras"]["picks"] == "mps"


def test_what_is_not_installed_has_no_row_and_a_package_inside_another_one_has() -> None:
    """Lightning's package brings Fabric; so does Fabric's own."""
    assert list(listed({"lightning": "2.6.6"}, build())) == ["lightning", "fabric"]
    assert list(listed({"lightning-fabric": "2.6.6"}, build())) == ["fabric"]
    assert listed({}, build()) == {}


def test_libraries_that_would_train_elsewhere_are_named_with_their_lines() -> None:
    """One finding for each device that they take, with the command that steers them."""
    (finding,) = found({"keras": "mps", "old": "mps", "skorch": "cpu"}, "cpu")
    assert (finding.code, finding.severity) == ("MPS801", "warning")
    assert finding.title == "keras and old by default: mps; measured as the better device: cpu"
    assert "keras 1.0: keras(device); old 1.0: old(device)" in finding.detail
    assert finding.remedy
    assert finding.remedy.commands == ("mpsdoctor run -- python train.py",)
    assert "does not steer old" in finding.remedy.text
    (opposite,) = found({"keras": "mps", "skorch": "cpu"}, "mps")
    assert opposite.evidence["names"] == ["skorch"]


@pytest.mark.parametrize("recommended", [None, "mps", "mps:0"])
def test_nothing_is_found_where_nothing_was_measured_or_all_agree(recommended: str | None) -> None:
    """Without a measurement no library is wrong."""
    assert found({"keras": "mps", "unknown": None}, recommended) == []


def test_a_device_that_failed_when_it_was_tried_is_what_they_must_not_take() -> None:
    """A virtual Mac offers MPS and gives out no memory: that is said once, and not also that it is slower."""
    codes = [finding.code for finding in found({"keras": "mps", "skorch": "cpu"}, "cpu", unusable=("mps",))]
    assert codes == ["MPS802"]


@pytest.mark.parametrize(
    ("variables", "codes"),
    [
        ({"ACCELERATE_TORCH_DEVICE": "cpu"}, ["MPS803"]),
        ({"ACCELERATE_USE_CPU": "true"}, ["MPS803"]),
        ({"ACCELERATE_USE_CPU": "false"}, []),
        ({"ACCELERATE_TORCH_DEVICE": "mps:0"}, []),
        ({"DISABLE_MPS": "1"}, []),
    ],
)
def test_a_variable_that_parts_model_and_batches_is_found(variables: dict[str, str], codes: list[str]) -> None:
    """With one process Transformers' Trainer puts the model where its own arguments say."""
    assert [finding.code for finding in found({"transformers": "mps"}, None, variables=variables)] == codes
    assert found({"transformers": "cpu"}, None, variables=variables) == []


def test_the_table_has_a_line_for_every_version_and_the_newest_first() -> None:
    """Each line speaks of the device, and eras do not overlap."""
    for library in LIBRARIES:
        since = [era.since for era in library.eras]
        assert since == sorted(since, reverse=True)
        assert all("device" in era.how for era in library.eras)


def test_packages_are_read_from_metadata_and_nothing_is_imported(tmp_path: Path) -> None:
    """A library whose import would fail is listed all the same, and Keras' file is read as Keras reads it."""
    (tmp_path / "keras.py").write_text("raise RuntimeError('imported')")
    info = tmp_path / "keras-3.15.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keras\nVersion: 3.15.1\n")
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    code = (
        "import json, sys; from mpsdoctor.worker.libraries import packages; print(json.dumps(packages(sys.argv[1:])))"
    )
    root = str(Path(__file__).resolve().parents[3])
    env = {"PYTHONPATH": f"{tmp_path}:{root}", "KERAS_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code, "keras", "no-such-package"], env=env, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"versions": {"keras": "3.15.1"}, "keras_backend": "torch"}
