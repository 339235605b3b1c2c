"""`mpsdoctor explain`: a file, stdin, a name, a good log beside; for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from helpers.support import mpsdoctor
from mpsdoctor.explain.rules import causes
from mpsdoctor.explaining import explain_command
from mpsdoctor.formats import schemas

ROOT = Path(__file__).parents[3]
PLACE = "/Users/jane/proj/.venv/lib/python3.11/site-packages/torch/x.py"
MISSING = f"""Traceback (most recent call last):
  File "{PLACE}", line 1
NotImplementedError: The operator 'aten::isin.Tensor_Tensor_out' is not currently implemented for the MPS device.
torch 2.0.1 on macOS 14.2"""


def explain(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(explain_command(), words, input=text)


def test_an_error_is_told_with_line_history_and_commands() -> None:
    """The cause, its line, since when MPS has the operator, and commands for the interpreter of the traceback."""
    told = explain("-", text=MISSING)
    assert told.exit_code == 0
    assert told.output.startswith("An operator has no MPS kernel in the installed torch (op_not_implemented,")
    assert "    line 3: NotImplementedError: The operator 'aten::isin.Tensor_Tensor_out'" in told.output
    assert "kernel for MPS since torch 2.4; you have" in " ".join(told.output.split())
    assert "    ~/proj/.venv/bin/python3 -m pip install --upgrade torch\n" in told.output
    assert "jane" not in told.output
    assert "Read from the text: torch 2.0.1, macOS 14.2, Python 3.11." in told.output


def test_json_follows_its_schema() -> None:
    """Causes with confidence, evidence, remedy and links; the environment with null for what is not known."""
    answer = json.loads(explain("-", "--json", text=MISSING).output)
    jsonschema.validate(answer, schemas.schema("explain"))
    first = answer["causes"][0]
    assert first["cause"] == "op_not_implemented"
    assert 0 < first["confidence"] <= 1
    assert first["evidence"] == [MISSING.split("\n")[2]]
    assert first["remedy"]["commands"][1] == "export PYTORCH_ENABLE_MPS_FALLBACK=1"
    assert answer["environment"] == {
        "torch": "2.0.1", "macos": "14.2", "arch": None, "chip": None, "python": "3.11", "mps_built": None,
        "mps_available": None, "notes": None,
    }  # fmt: skip


def test_what_is_not_known_is_said_so() -> None:
    """No cause: what would help; as JSON an empty list and no environment."""
    assert explain("-", text="Hello").output.startswith("I don't know: ")
    assert json.loads(explain("-", "--json", text="Hello").output) == {"causes": [], "environment": None}
    assert explain("-", text="").exit_code == 0


def test_figures_of_the_message_are_used() -> None:
    """Of a virtual Mac, of other allocations, of a full memory: told apart by their figures, which are told."""
    line = (
        "MPS backend out of memory (MPS allocated: {}, other allocations: {}, max allowed: {}). Tried to allocate {} on"
        " private pool."
    )
    for figures, cause, said in (
        (("0 bytes", "0 bytes", "7.93 GB", "256 bytes"), "oom_ci_vm", "Tensors take 0 bytes of 7.93 GB."),
        (("39.50 GiB", "141.24 GiB", "182.78 GiB", "4 GiB"), "oom_other_allocations", "141.24 GiB are such"),
        (("16.00 GB", "3.31 GB", "18.13 GB", "256 bytes"), "oom_genuine", "Tensors take 16.00 GB of the 18.13 GB"),
    ):
        first = json.loads(explain("-", "--json", text=line.format(*figures)).output)["causes"][0]
        assert first["cause"] == cause
        assert said in first["explanation"]


def test_the_version_of_the_text_decides() -> None:
    """The same message of torch means another cause where macOS is new enough for that torch."""
    text = "RuntimeError: The MPS backend is supported on MacOS 14.0+.\ntorch==2.9.1\nProductVersion: {}"
    for macos, cause in (("13.6", "macos_too_old"), ("26.1", "mps_device_not_visible")):
        assert json.loads(explain("-", "--json", text=text.format(macos)).output)["causes"][0]["cause"] == cause


def test_a_good_log_beside_leads_with_the_difference(tmp_path: Path) -> None:
    """What the failing run has alone comes first, with its line."""
    good, failing = tmp_path / "good.log", tmp_path / "failing.log"
    good.write_text("step 1 loss 0.5\nUserWarning: 'pin_memory' argument is set as true but not supported on MPS now\n")
    failing.write_text(good.read_text().replace("0.5", "0.7") + "RuntimeError: Invalid buffer size: 19.45 GB\n")
    told = explain(str(failing), "--against", str(good)).output
    assert told.startswith("What the failing log has and the good one has not, first line 3:\n    line 3: RuntimeError")
    assert "(invalid_buffer_size," in told
    assert "pin_memory" not in told
    answer = json.loads(explain(str(failing), "--against", str(good), "--json").output)
    assert answer["differences"] == ["RuntimeError: Invalid buffer size: 19.45 GB"]
    assert "say the same" in explain(str(good), "--against", str(good)).output


@pytest.mark.parametrize("cause", causes())
def test_a_cause_is_explained_by_its_name(cause: str) -> None:
    """What it is, what it means, what to do, without gaps where a text would have figures."""
    told = explain(cause).output
    assert told.startswith(f"{cause}: ")
    assert "https://" in told
    paragraphs = told.split("\n\n")
    assert len(paragraphs[1]) > 20
    assert "{" not in paragraphs[1] + paragraphs[2].replace("'{", "")


def test_all_names_are_listed() -> None:
    """Codes of findings, then causes."""
    listed = explain().output.splitlines()
    assert [line.split("  ")[0] for line in listed[-len(causes()) :]] == sorted(causes())
    assert listed == sorted(listed)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["oom_ci_vn"], "did you mean oom_ci_vm?"),
        (["nothing at all"], "there is no finding, cause, known issue or file"),
        (["/no/such/file"], "cannot be read: No such file"),
        (["/"], "cannot be read: Is a directory"),
        (["--against", "x"], "--against needs the failing log too"),
    ],
)
def test_what_cannot_be_explained_is_a_usage_error(words: list[str], told: str) -> None:
    """A name that is none, a file that is missing, a good log alone."""
    done = explain(*words)
    assert done.exit_code == 2
    assert told in done.output


def test_a_process_of_its_own_answers_like_the_command() -> None:
    """`mpsdoctor explain` does not wait for the other commands, and tells errors as they do."""
    assert mpsdoctor("explain", "oom_genuine").stdout == explain("oom_genuine").output
    failed = mpsdoctor("explain", "oom_ci_vn")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "did you mean oom_ci_vm?" in failed.stderr
