"""The command as people and CI jobs start it: streams, exit codes, errors that say what exists."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import jsonschema
import pytest

import mpsdoctor as mpsdoctor_package
from helpers.support import COMMAND, check, install, mpsdoctor, processes_left, report
from mpsdoctor.checkhost import BUILT_IN
from mpsdoctor.cli import GROUPS, SHELLS, cli

FAST = ("--only", "chip,environment,memory")


def test_what_json_prints_follows_its_schema() -> None:
    """`mpsdoctor schema report` validates what `--json` prints, of all cheap checks."""
    schema = json.loads(mpsdoctor("schema", "report").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    document = report("--only", "chip,build,environment,memory")
    assert document.pop("exit") == 0
    jsonschema.validate(document, schema)
    assert document["schema_version"] == 1
    assert document["devices"][0]["usable"] is True
    assert document["torch"]["version"]


def test_json_alone_is_on_stdout_and_narration_on_stderr() -> None:
    """stdout is one document; progress, a line a step, is on stderr, and -q silences it."""
    done = mpsdoctor("--json", *FAST)
    json.loads(done.stdout)
    assert "chip: Chip and operating system" in done.stderr
    assert "\x1b" not in done.stderr
    assert mpsdoctor("-q", "--json", *FAST).stderr == ""


@pytest.mark.parametrize("command", [(), ("bench",), ("ops",)])
def test_help_ends_with_examples_that_can_be_run(command: tuple[str, ...]) -> None:
    """No line is cut, none is wider than a terminal, and the command line takes every example."""
    lines = mpsdoctor(*command, "--help").stdout.splitlines()
    assert [line for line in lines[1:] if line.endswith("...") or len(line) > 80] == []
    commands = [line.strip().partition("  ")[0].split() for line in lines[lines.index("  Examples:") + 1 :]]
    assert len(commands) > 2
    for program, *args in commands:
        with cli.make_context(program, list(args)) as context:
            if name := context.invoked_subcommand:
                found = cli.get_command(context, name)
                assert found
                assert found.make_context(name, args[args.index(name) + 1 :], parent=context)


def test_help_tells_of_the_screen() -> None:
    """What opens without a command, how it is left, and how to have text in its place."""
    told = " ".join(mpsdoctor("--help").stdout.split())
    assert "on a screen with tabs (? for help there, q to quit)" in told
    assert "or with --format text, as text" in told


def test_jsonl_is_a_line_an_event_in_a_file_too(tmp_path: Path) -> None:
    """Each stands there when it happens: a reader that follows a pipe has the first ones before the report."""
    file, pipe = tmp_path / "events.jsonl", tmp_path / "pipe.jsonl"
    printed = mpsdoctor("--format", "jsonl", *FAST).stdout.splitlines()
    assert mpsdoctor("--output", str(file), *FAST).stdout == ""
    assert [json.loads(line)["event"] for line in file.read_text().splitlines()] == [
        json.loads(line)["event"] for line in printed
    ]
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "mpsdoctor", "--format", "jsonl", "--output", str(pipe), *FAST]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process, pipe.open() as stream:
        assert json.loads(stream.readline()) == json.loads(printed[0])
        assert process.poll() is None
        assert json.loads(stream.readlines()[-1])["event"] == "report"


def test_jsonl_is_a_line_an_event_and_the_report_last() -> None:
    """Each line is a JSON object; the last one holds the report."""
    lines = [json.loads(line) for line in mpsdoctor("--format", "jsonl", *FAST).stdout.splitlines()]
    assert [line["event"] for line in lines][:2] == ["listed", "started"]
    assert lines[-1]["event"] == "report"
    assert lines[-1]["report"]["schema_version"] == 1


@pytest.mark.parametrize(("fail_on", "status"), [("never", 0), ("error", 0), ("warning", 1)])
def test_fail_on_decides_the_exit_code(fail_on: str, status: int) -> None:
    """A warning fails a job only where it was asked to."""
    done = mpsdoctor("--only", "environment", "--fail-on", fail_on, env={"PYTORCH_MPS_NO_SUCH": "1"})
    assert done.returncode == status
    assert "MPS601" in done.stdout


WRONG = {
    ("--budget", "huge"): "quick",
    ("--only", "no-such"): "there are: chip",
    ("--device", "../x"): "as torch names it",
    ("--python", "/no/such/python"): "no program that can be run",
    ("--format", "pdf"): "json",
    ("--format", "json", "--format", "text"): "give the others an --output",
    ("--json", "--output", "/no/such/folder/x.json"): "cannot be written",
    ("--output", "a", "--output", "b"): "in pairs",
    ("--format", "json", "--output", "-", "--format", "text"): "the same --output",
    ("profile", "force-mps", "maybe"): "on",
    ("no-such-command",): "There are: bench, checks",
    ("--no-such-option",): "No such option",
    ("schema", "everything"): "report",
}


@pytest.mark.parametrize("args", WRONG)
def test_a_wrong_option_is_a_usage_error_that_says_what_exists(args: tuple[str, ...]) -> None:
    """Exit code 2, nothing on stdout, no traceback."""
    done = mpsdoctor(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert WRONG[args] in done.stderr
    assert "Traceback" not in done.stderr


def test_formats_go_to_files_in_pairs(tmp_path: Path) -> None:
    """Each --output belongs to the --format at its place; the one left over goes to stdout."""
    done = mpsdoctor("--format", "json", "--output", str(tmp_path / "r.json"), "--format", "text", *FAST)
    assert json.loads((tmp_path / "r.json").read_text())["schema_version"] == 1
    assert done.stdout.startswith("mpsdoctor ")


@pytest.mark.parametrize(("name", "begins"), [("r.json", "{"), ("r.html", "<!doctype"), ("r.md", "## "), ("r", "mps")])
def test_the_name_of_a_file_tells_its_format(name: str, begins: str, tmp_path: Path) -> None:
    """`--output report.json` without --format is JSON; a name that asks for nothing gets the text."""
    mpsdoctor("--only", "chip", "--output", str(tmp_path / name))
    assert (tmp_path / name).read_text().lower().startswith(begins)


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("bnch",), "Did you mean bench?"),
        (("--device", "mpss"), "did you mean mps?"),
        (("--device", "gpu"), "did you mean mps?"),
        (("--device", "cdua"), "did you mean cuda?"),
    ],
)
def test_a_misspelt_name_is_told_with_the_closest(args: tuple[str, ...], hint: str) -> None:
    """Commands and devices too."""
    done = mpsdoctor(*args)
    assert (done.returncode, hint in done.stderr) == (2, True)


def test_help_is_a_command_too() -> None:
    """`mpsdoctor help` and `mpsdoctor help bench` are what --help prints."""
    assert mpsdoctor("help").stdout.splitlines()[2:] == mpsdoctor("--help").stdout.splitlines()[2:]
    assert mpsdoctor("help", "bench").stdout.splitlines()[2:] == mpsdoctor("bench", "--help").stdout.splitlines()[2:]


def test_a_report_that_cannot_be_written_is_printed() -> None:
    """Nothing is lost: the file's report goes to stdout, and the exit code tells."""
    done = mpsdoctor("--json", "--output", "/dev/full", *FAST)
    assert done.returncode == 2
    assert json.loads(done.stdout)["schema_version"] == 1
    assert "cannot be written" in done.stderr


def test_version_and_help_need_no_check_up() -> None:
    """Both answer at once."""
    assert mpsdoctor("--version").stdout == f"mpsdoctor {mpsdoctor_package.__version__}\n"
    assert "--budget" in mpsdoctor("--help").stdout


def test_checks_are_listed_with_cost_needs_and_source() -> None:
    """Every built-in check is there, in the order of the report."""
    lines = mpsdoctor("checks").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [*BUILT_IN]
    assert all(f"mpsdoctor {mpsdoctor_package.__version__}" in line for line in lines)


def hanging(tmp_path: Path) -> dict[str, str]:
    source = """
    import time
    id, title, seconds = "hangs", "Hangs", {"standard": 100}
    def run(context):
        yield {"before": 1}
        context.progress("hanging now")
        time.sleep(600)
    """
    return install(tmp_path, hangs=source)


@contextmanager
def doctor_at_work(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A check-up that has examined the build and hangs in the next check."""
    with subprocess.Popen(
        [*COMMAND, "--json", "--only", "build,hangs"],
        env={**os.environ, **hanging(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as doctor:
        assert doctor.stderr
        assert any("hanging now" in line for line in doctor.stderr)
        yield doctor


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_was_found_and_leaves_no_process(tmp_path: Path, number: int) -> None:
    """Ctrl+C and SIGTERM end the check-up with 130; finished checks are in the report, no worker is left."""
    with doctor_at_work(tmp_path) as doctor:
        doctor.send_signal(number)
        out, _ = doctor.communicate(timeout=30)
    document = json.loads(out)
    assert doctor.returncode == 130
    assert check(document, "build")["status"] == "pass"
    assert (check(document, "hangs")["status"], check(document, "hangs")["reason"]) == ("skip", "cancelled")
    assert check(document, "hangs")["facts"] == {"before": 1}
    assert not processes_left()


def test_a_doctor_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    """kill -9 of the doctor: host and torch workers end by themselves."""
    with doctor_at_work(tmp_path) as doctor:
        doctor.kill()
    assert not processes_left()


COMMANDS = ("--json --only chip", "checks", "profile path", "--help", "--version", "schema report", "explain")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_leaves_early_is_no_error(command: str) -> None:
    """`mpsdoctor … | true` ends quietly, and never as if there were a finding."""
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m mpsdoctor {command} | true; exit ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "rror" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_no_finding(command: str) -> None:
    """What cannot be written is told by the exit code, in a line and not in a traceback."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, *command.split()], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_from_an_archive_it_says_what_to_do(tmp_path: Path) -> None:
    """No interpreter can be started with a file inside a wheel: one line, exit 3."""
    package = Path(mpsdoctor_package.__file__).parent
    archive = tmp_path / "mpsdoctor.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for folder in (package, package.parent / "checks" / "mpsdoctor_checks"):
            for file in folder.rglob("*.py"):
                zipped.write(file, file.relative_to(folder.parent))
    code = f"import sys; sys.path.insert(0, {str(archive)!r}); from mpsdoctor.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "checks"], capture_output=True, text=True, check=False)
    assert (done.returncode, "lies in an archive" in done.stderr) == (3, True)
    assert len(done.stderr.splitlines()) == 1


def test_a_fault_of_ours_is_one_line_and_exit_code_three() -> None:
    """What should not happen is told as what it is; -v shows where."""
    code = "import mpsdoctor.cli as c; c.CheckUp = None; import sys; sys.argv = ['mpsdoctor', *sys.argv[1:]]; c.main()"
    for args, traceback in (["checks"], False), (["-v", "checks"], True):
        done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (3, traceback)
        assert "fault of mpsdoctor itself: TypeError" in done.stderr.splitlines()[-1]


def test_ascii_locale_and_no_terminal_still_give_a_report() -> None:
    """LC_ALL=C and a pipe: ASCII signs, no colour."""
    done = mpsdoctor("--only", "environment", env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert done.returncode == 0
    assert done.stdout.isascii()


def test_no_name_of_host_or_user_is_in_the_report(tmp_path: Path) -> None:
    """The report names neither this machine nor this user's home."""
    import platform

    text = mpsdoctor("--json", "--only", "chip,build,environment,memory").stdout
    assert platform.node() not in text
    assert str(Path.home()) + "/" not in text
    assert time.strftime("%Y") in text


def in_terminal(*args: str, **env: str) -> str:
    """What a terminal of 80 columns is sent by the command."""
    lead, follow = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *args], stdin=follow, stdout=follow, stderr=follow, env={**os.environ, "TERM": "xterm", **env}
    ):
        os.close(follow)
        sent = b""
        with contextlib.suppress(OSError):  # Linux reports the end of a terminal as an error
            while part := os.read(lead, 65536):
                sent += part
    os.close(lead)
    return sent.decode()


@pytest.mark.parametrize(
    ("env", "args", "coloured"),
    [
        ({}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({"NO_COLOR": ""}, (), True),
        ({"TERM": "dumb"}, (), False),
        ({}, ("--no-color",), False),
    ],
)
def test_a_terminal_gets_colour_unless_it_is_unwanted(
    env: dict[str, str], args: tuple[str, ...], coloured: bool
) -> None:
    """NO_COLOR (non-empty), TERM=dumb and --no-color switch colour off; the words are the same."""
    sent = in_terminal("-q", "--format", "text", "--only", "environment", *args, **env)
    assert ("\x1b[32m" in sent) is coloured
    assert "pass" in sent
    assert "environment" in sent


def shell(line: str, **env: str) -> subprocess.CompletedProcess[str]:
    line = line.replace("mpsdoctor", " ".join(COMMAND))
    return subprocess.run(line, shell=True, env={**os.environ, **env}, capture_output=True, text=True, check=False)


def test_a_full_disk_behind_stdout_is_told_in_one_line() -> None:
    """Exit code 2 and no traceback, for a report and for help alike."""
    for line in ("mpsdoctor -q --json --only environment >/dev/full", "mpsdoctor --help >/dev/full"):
        done = shell(line)
        assert done.returncode == 2
        assert "cannot be written: No space left" in done.stderr
        assert "Traceback" not in done.stderr


def test_closed_streams_cost_nothing_else() -> None:
    """Without stderr, or with a full one, the report is the same; without stdout the exit code still tells."""
    assert json.loads(shell("mpsdoctor --json --only environment 2>&-").stdout)["schema_version"] == 1
    assert json.loads(shell("mpsdoctor --json --only environment 2>/dev/full").stdout)["schema_version"] == 1
    assert shell("mpsdoctor --only environment --fail-on warning >&-", PYTORCH_MPS_NONE="1").returncode == 1


def test_what_stands_in_variables_is_neutralised() -> None:
    """Escapes in a variable's name are a finding about that variable, not a failure of the check."""
    document = report("--only", "environment", env={"PYTORCH_A\x1bB": "\x1b[2J"})
    assert document["exit"] == 0
    assert "PYTORCH_A\\x1bB" in check(document, "environment")["findings"][0]["title"]


CONTRADICTIONS = {
    ("--only", ""): "is empty",
    ("--only", "memory", "--skip", "memory"): "left out by --skip",
    ("--only", "training", "--skip", "build"): "needs build",
    ("--json", "--format", "text", "--output", "x"): "--format json",
    ("--format", "json", "--output", "x", "--format", "text", "--output", "x"): "same --output",
    ("run", ""): "cannot be started",
    ("ops", "--model", ""): "it is empty",
    ("ops", "--op", ","): "it is empty",
    ("ops", "--model", "notes.txt:step"): "takes FILE.py:FUNC",
    ("bench", "--step", " "): "it is empty",
    ("bench", "--timeout", "nan"): "nan is no number",
    ("ops", "--timeout", "inf"): "not in the range",
    ("profile", "force-mps", "on"): "MPSDOCTOR_FORCE_MPS=1",
}


@pytest.mark.parametrize("args", CONTRADICTIONS)
def test_what_contradicts_itself_is_refused_before_anything_runs(args: tuple[str, ...], tmp_path: Path) -> None:
    """Exit code 2 with the reason; a job that examines nothing must not be green."""
    done = mpsdoctor(*args, env={"MPSDOCTOR_PROFILE": str(tmp_path / "none.json")})
    assert (done.returncode, done.stdout) == (2, "")
    assert CONTRADICTIONS[args] in done.stderr


@pytest.mark.parametrize("command", ["path", "show", "validate", "clear", "env", "force-mps on"])
def test_a_home_folder_that_is_not_there_is_one_clear_line(command: str) -> None:
    """`~nobody/x` as a place for the profile is a usage error; a check-up that writes none does not mind."""
    env = {"MPSDOCTOR_PROFILE": "~no-such-user/profile.json"}
    done = mpsdoctor("profile", *command.split(), env=env)
    assert (done.returncode, "no home folder is known" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr
    assert mpsdoctor("--only", "chip", env=env).returncode == 0


def test_clear_leaves_alone_what_is_no_profile(tmp_path: Path) -> None:
    """A variable may name a file that is somebody's."""
    (tmp_path / "thesis.json").write_text("[]")
    done = mpsdoctor("profile", "clear", env={"MPSDOCTOR_PROFILE": str(tmp_path / "thesis.json")})
    assert done.returncode == 2
    assert (tmp_path / "thesis.json").read_text() == "[]"


def test_an_interpreter_in_this_folder_can_be_named(tmp_path: Path) -> None:
    """`--python ./python` is taken as a shell would."""
    (tmp_path / "python").symlink_to(sys.executable)
    done = subprocess.run(
        [*COMMAND, "--python", "./python", "--only", "environment"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0


def test_a_finding_is_explained() -> None:
    """`explain CODE` prints three paragraphs and an example, whatever the case; `explain` alone lists every code."""
    told = mpsdoctor("explain", "mps105")
    assert told.returncode == 0
    assert told.stdout.startswith("MPS105: Low power mode is on\n\nmacOS is in low power mode")
    assert "For example:\n    MPS105: Low power mode is on\n" in told.stdout
    assert max(map(len, told.stdout.splitlines())) <= 80
    listed = mpsdoctor("explain").stdout.splitlines()
    assert "MPS105  Low power mode is on" in listed
    assert listed == sorted(listed)


def test_a_code_that_does_not_exist_is_told_with_its_neighbours() -> None:
    """A mistyped code is a usage error that names close ones."""
    told = mpsdoctor("explain", "MPS1O5")
    assert (told.returncode, told.stdout) == (2, "")
    assert "there is no finding 'MPS1O5'; did you mean" in told.stderr


def test_the_help_groups_every_command() -> None:
    """No command is left out of the groups, and no group names one that is not there."""
    names = cli.list_commands(click.Context(cli))
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(names)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_commands(shell: str) -> None:
    """What the lines of `mpsdoctor completion` ask for at a Tab; the lines themselves name the command."""
    assert "mpsdoctor" in mpsdoctor("completion", shell).stdout
    asked = {"COMP_WORDS": "mpsdoctor kno", "COMP_CWORD": "kno" if shell == "fish" else "1"}
    told = mpsdoctor(env={**os.environ, **asked, "_MPSDOCTOR_COMPLETE": f"{shell}_complete"}).stdout
    assert "known-issues" in told
    assert "race" not in told
