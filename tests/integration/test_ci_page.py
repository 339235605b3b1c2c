"""What docs/ci.md shows for other CI systems and for pre-commit, run as they would run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hatchling.builders.wheel import WheelBuilder

from helpers import fresh, workflows
from helpers.trainer import sample

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "ci.md"
TRAIN = """
import torch


def build():
    weights = torch.randn(4, 4, requires_grad=True)

    def step():
        {line}
        weights.sum().backward()

    return step
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands for the package index."""
    folder = tmp_path_factory.mktemp("wheels")
    next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    return folder


def gitlab() -> tuple[list[str], str, Mapping[str, str]]:
    """How its runner starts the lines, the lines, and variables of a job."""
    [job] = [found for block in workflows.blocks(PAGE, "yaml") if (found := yaml.safe_load(block).get("mpsdoctor"))]
    assert job["artifacts"]["reports"] == {"junit": "mpsdoctor.xml"}
    return workflows.BASH, "\n".join(job["script"]), {"CI": "true", "GITLAB_CI": "true", "CI_JOB_ID": "1"}


def jenkins() -> tuple[list[str], str, Mapping[str, str]]:
    """The same; `sh` shows its lines and ends with the first that fails."""
    [pipeline] = workflows.blocks(PAGE, "groovy")
    [script] = re.findall(r"sh '''(.*?)'''", pipeline, re.DOTALL)
    assert "junit 'mpsdoctor.xml'" in pipeline
    return ["sh", "-xe"], script, {"CI": "true", "JENKINS_URL": "http://localhost:8080/", "BUILD_NUMBER": "1"}


@pytest.mark.parametrize("system", [gitlab, jenkins])
def test_the_lines_for_other_systems_leave_junit_and_a_page(system: Any, wheels: Path, tmp_path: Path) -> None:
    """Each system gets a file whose suites are the checks, and a page; the text is in the log."""
    shell, script, variables = system()
    (tmp_path / "script").write_text(script)
    (workspace := tmp_path / "workspace").mkdir()
    env = fresh.machine(tmp_path, wheels) | variables
    done = subprocess.run(
        [*shell, str(tmp_path / "script")], cwd=workspace, env=env, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    suites = {suite.get("name") for suite in ET.parse(workspace / "mpsdoctor.xml").getroot().iter("testsuite")}
    assert suites >= {"build", "environment", "operators", "training"}
    assert "<html" in (workspace / "mpsdoctor.html").read_text(encoding="utf-8")
    assert "Train on" in done.stdout


def commit(folder: Path, env: Mapping[str, str]) -> str:
    """Everything in a folder as the one commit of a new repository; its name."""
    git = ["git", "-c", "user.name=Someone", "-c", "user.email=someone@example.invalid"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], cwd=folder, env=env, check=True)
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, text=True, capture_output=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs the hooks of the page in a repository with these files; the exit code and what was said."""
    hooks = tmp_path_factory.mktemp("hooks")
    programs = tmp_path_factory.mktemp("programs")
    (programs / "mpsdoctor").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mpsdoctor "$@"\n')
    (programs / "mpsdoctor").chmod(0o755)
    env = {
        **os.environ,
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("pre-commit")),
    }
    (hooks / ".pre-commit-hooks.yaml").write_bytes((ROOT / ".pre-commit-hooks.yaml").read_bytes())
    rev = commit(hooks, env)
    [config] = [found for block in workflows.blocks(PAGE, "yaml") if "repos" in (found := yaml.safe_load(block))]
    config["repos"][0] |= {"repo": str(hooks), "rev": rev}

    def run(folder: Path, files: Mapping[str, str]) -> tuple[int, str]:
        for name, text in {**files, ".pre-commit-config.yaml": yaml.safe_dump(config)}.items():
            (folder / name).write_text(text, encoding="utf-8")
        commit(folder, env)
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never"]
        done = subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def test_the_hooks_let_pass_what_is_in_order(hooked: Any, tmp_path: Path) -> None:
    """A profile that scripts read, and a step whose operators MPS has."""
    status, said = hooked(
        tmp_path,
        {
            "mpsdoctor-profile.json": json.dumps(sample()),
            "profile.json": "not ours",
            "train.py": TRAIN.format(line="weights.exp()"),
        },
    )
    assert (status, said.count("Passed")) == (0, 2), said


def test_the_hooks_stop_what_is_not(hooked: Any, tmp_path: Path) -> None:
    """A profile that is cut off is told with its name, a call without a kernel on MPS with its line."""
    status, said = hooked(
        tmp_path,
        {
            "mpsdoctor-profile.json": json.dumps(sample())[:-20],
            "train.py": TRAIN.format(line="torch.linalg.eigvals(weights.detach())"),
        },
    )
    assert (status, said.count("Failed")) == (1, 2), said
    assert "mpsdoctor-profile.json" in said
    assert "train.py:9" in said
