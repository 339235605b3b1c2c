"""Which language a person reads: the option, MPSDOCTOR_LANG, the locale; English where Chinese cannot be shown."""
# ruff: noqa: RUF001 -- there is Chinese in it

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mpsdoctor import language, texts

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("en", "en"), ("EN_us.UTF-8", "en"), ("C", "en"), ("C.UTF-8", "en"), ("POSIX", "en"),
        ("zh", "zh"), ("zh_CN.UTF-8", "zh"), ("zh-Hans", "zh"), ("zh_Hans_CN", "zh"), ("zh-TW", "zh"), ("cn", "zh"),
        ("zh_CN.GB18030@pinyin", "zh"), ("de_DE.UTF-8", None), ("", None), ("zhu", None),
    ],
)  # fmt: skip
def test_names_of_languages_as_systems_have_them(name: str, ours: str | None) -> None:
    """Script, region and encoding make no difference, nor does what joins them."""
    assert language.named(name) == ours


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LC_MESSAGES": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({"MPSDOCTOR_LANG": "en", "LC_ALL": "zh_CN.UTF-8"}, "en"),
        ({"MPSDOCTOR_LANG": "zh", "LC_ALL": "C"}, "zh"),
        ({"MPSDOCTOR_LANG": " ", "LANG": "zh_CN"}, "zh"),
    ],
)
def test_the_environment_chooses_in_the_order_of_the_locale(environ: dict[str, str], chosen: str) -> None:
    """MPSDOCTOR_LANG before LC_ALL, LC_MESSAGES and LANG; what is empty is not set."""
    assert language.from_environment(environ) == chosen


def test_a_language_that_is_none_of_ours_is_refused_with_those_that_are() -> None:
    """Where it was asked for by name; a locale may be any."""
    with pytest.raises(language.UnknownLanguageError, match=r"MPSDOCTOR_LANG: .*'fr'; there are en, zh"):
        language.from_environment({"MPSDOCTOR_LANG": "fr"})


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["--lang", "zh", "ops"], "zh"),
        (["ops", "--lang=zh"], "zh"),
        (["--help", "--lang", "zh"], "zh"),
        (["--lang"], None),
        (["run", "python", "train.py", "--lang", "zh"], None),
        (["run", "--", "train", "--lang=zh"], None),
        (["race", "--lang", "zh", "--", "python", "train.py", "--lang=en"], "zh"),
        (["--lang", "en", "run", "train", "--lang=zh"], "en"),
    ],
)
def test_help_and_errors_know_the_option_before_it_is_read(arguments: list[str], asked: str | None) -> None:
    """What a trainer is started with is the trainer's."""
    assert language.in_arguments(arguments) == asked


@pytest.mark.parametrize(("encoding", "spoken"), [("utf-8", "zh"), ("ascii", "en"), ("gb2312", "en")])
def test_a_terminal_that_takes_no_chinese_gets_english(
    encoding: str, spoken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told where Chinese was asked for by name, not where the locale alone asks."""
    monkeypatch.setattr(texts, "_language", "en")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    monkeypatch.delenv("MPSDOCTOR_LANG", raising=False)
    monkeypatch.setenv("LC_ALL", "zh_CN")
    assert language.choose() is None
    assert texts.language() == spoken
    assert (language.choose("zh") is None) == (spoken == "zh")


def test_the_languages_that_can_be_asked_for_are_those_that_have_texts() -> None:
    assert tuple(language.NAMES) == texts.LANGUAGES


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """mpsdoctor in an environment without a language of its own."""
    bare = {name: value for name, value in os.environ.items() if name not in (language.VARIABLE, *language.LOCALE)}
    command = [sys.executable, "-m", "mpsdoctor", *arguments]
    return subprocess.run(
        command, env={**bare, **environ}, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


def test_every_command_takes_the_option() -> None:
    """Before its name or after it; the variable and the locale do the same."""
    for done in (
        run("--lang", "zh", "explain", "MPS105"),
        run("explain", "MPS105", "--lang=zh_CN"),
        run("explain", "MPS105", MPSDOCTOR_LANG="zh"),
        run("explain", "MPS105", LANG="zh_CN.UTF-8"),
    ):
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("MPS105：开着低电量模式\n")
    assert run("explain", "MPS105", "--lang", "en", MPSDOCTOR_LANG="zh").stdout.startswith("MPS105: Low power mode")


def test_a_wrong_language_is_one_clear_line_and_ends_with_2() -> None:
    """By the option and by the variable."""
    option, variable = run("checks", "--lang", "fr"), run("checks", MPSDOCTOR_LANG="fr")
    assert (option.returncode, variable.returncode) == (2, 2)
    assert option.stderr.endswith("--lang: there is no language 'fr'; there are en, zh\n")
    assert variable.stderr == "mpsdoctor: MPSDOCTOR_LANG: there is no language 'fr'; there are en, zh\n"


def test_chinese_that_cannot_be_shown_is_told_once() -> None:
    done = run("explain", "MPS105", "--lang", "zh", PYTHONIOENCODING="ascii")
    assert done.stdout.startswith("MPS105: Low power mode")
    assert done.stderr.count("no Chinese") == 1


def test_chinese_is_loaded_where_it_is_read_alone() -> None:
    """Not by a training script, whatever its locale, and not by the English screen."""
    trainer = "import mpsdoctor; mpsdoctor.get_optimal_device; "
    screen = "from mpsdoctor import language, tui; language.choose('en'); import mpsdoctor.tui.app; "
    tell = "import sys; print(*(name for name in sys.modules if name.startswith('mpsdoctor.texts')))"
    loaded = [
        subprocess.run(
            [sys.executable, "-c", program + tell], env={**os.environ, "LANG": "zh_CN.UTF-8"}, cwd=ROOT,
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout
        for program in (trainer, screen)
    ]  # fmt: skip
    assert loaded[0].strip() == ""
    assert "mpsdoctor.texts" in loaded[1]
    assert "zh" not in loaded[1]
