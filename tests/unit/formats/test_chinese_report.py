"""Reports in Chinese: told from the values of an English one, within the cells of a terminal."""
# ruff: noqa: RUF001 -- there is Chinese in it

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len

from mpsdoctor import retold, texts
from mpsdoctor.check import Skip, finding, title_of
from mpsdoctor.formats import FORMATS, Style
from mpsdoctor.report import CheckResult, Finding, Report, Verdict
from mpsdoctor.texts import Each, Part
from unit.formats.test_text_report import RECORDED, recorded, text_of

HAN = re.compile(r"[\u4e00-\u9fff]")
REASONS = (
    Part("twice_faster"),
    Part("evidence", {"device": "mps", "groups": Each("group", [{"group": Part("group_faster", {
        "families": Each("family_faster", [
            {"workload": "cnn", "at_size": Part("at_size", {"size": "medium"}), "bound": Part(""), "times": 2.1},
        ], ", "),
    })}])}),
)  # fmt: skip
VERDICT = Verdict("mps", "high", tuple(map(str, REASONS)), {}, 2.1, tuple(map(texts.as_data, REASONS)))


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_language", "zh")


def example(code: str, severity: Any = "warning") -> Finding:
    return finding(code, severity, **texts.texts("en")[code].example)


def with_findings(*findings: Finding) -> Report:
    """A report with a verdict and these findings, as it was written and read again."""
    check = CheckResult("operators", texts.check_title("operators"), "test", "warn", findings=findings)
    report = msgspec.structs.replace(recorded("accelerator-wins"), verdict=VERDICT, checks=(check,))
    return msgspec.json.decode(msgspec.json.encode(report), type=Report)


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("verbosity", [0, 1])
def test_no_line_of_any_finding_is_wider_than_80_cells(verbosity: int) -> None:
    """Wide characters count two. Commands and links, which are to be copied whole, may be longer."""
    report = with_findings(*(example(code, severity) for code in texts.texts("en") for severity in ("warning", "info")))
    lines = text_of(report, verbosity).splitlines()
    long = [line for line in lines if cell_len(line) > 80 and not re.match(r" {4,}(\S+://|[a-z]+ )", line)]
    assert long == []
    assert len([line for line in lines if HAN.search(line)]) > 200


@pytest.mark.usefixtures("chinese")
def test_the_chinese_text_stays_as_it_was_reviewed() -> None:
    """Golden file: changed only on purpose."""
    findings = example("MPS311", "error"), example("MPS521"), example("MPS509", "info")
    file, text = RECORDED / "chinese.txt", text_of(with_findings(*findings))
    if os.environ.get("MPSDOCTOR_GOLDEN") == "write":  # on purpose: look at the difference
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_what_programs_read_is_the_same_in_any_language(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    report = with_findings(example("MPS311", "error"))
    english = FORMATS[name].render(report, Style())
    monkeypatch.setattr(texts, "_language", "zh")
    assert FORMATS[name].render(report, Style()) == english
    assert not HAN.search(english)


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if not form.data])
def test_every_format_for_people_is_told_in_chinese(name: str) -> None:
    """Verdict, title, detail and remedy; the page says which language it is in."""
    told = re.sub(r"&#?\w+;|\\", "", FORMATS[name].render(with_findings(example("MPS313", "error")), Style()))
    assert "float32 的 cumsum 算子在 mps 上使进程崩溃" in told
    assert ("2 倍" in told) == (name != "junit")
    assert ('lang="zh"' in told) == (name == "html")
    assert "kills the process" not in told


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    "values",
    [None, {}, {"subject": 3}, {"templates": 5}, {"templates": {"title": "no_such"}}, {"subject": {"part": "x"}}],
)
def test_a_finding_that_cannot_be_told_anew_stays_english(values: Mapping[str, Any] | None) -> None:
    """One of an older report, or with values of a stranger."""
    written = msgspec.structs.replace(example("MPS313"), values=values)
    assert retold.finding(written) == written


@pytest.mark.usefixtures("chinese")
def test_an_older_verdict_without_values_stays_english() -> None:
    older = msgspec.structs.replace(VERDICT, values=())
    assert retold.verdict(older) == older
    half = msgspec.structs.replace(VERDICT, values=VERDICT.values[:1])
    assert retold.verdict(half).reasons == ("速度约为 CPU 的 2 倍", VERDICT.reasons[1])


def test_english_is_not_made_anew() -> None:
    """The report itself is shown."""
    report = with_findings(example("MPS313"))
    assert retold.report(report) is report


def reasons() -> Iterator[tuple[Part | str, str]]:
    yield Part("needs_what_did_not_run", {"need": "build"}), "依赖的 build 没有运行"
    because = Part("because", {"first": title_of(example("MPS201", "error"))})
    values = {"need": "build", "status": Part("ended_as_fail"), "because": because}
    yield Part("needs_what_ended", values), "依赖的 build 未通过：没有安装 torch"
    yield Skip(Part("no_usable_device")).wording, "没有可用的设备"
    yield title_of(example("MPS903", "error")), "检查项崩溃了"
    yield Skip("as a stranger says it").wording, "as a stranger says it"


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(("reason", "told"), list(reasons()))
def test_why_a_check_did_not_run_is_told_anew(reason: Part | str, told: str) -> None:
    """With the title of what keeps it from running."""
    check = CheckResult("training", "Title", "test", "skip", str(reason), values=texts.as_values(reason))
    written = msgspec.json.decode(msgspec.json.encode(check), type=CheckResult)
    assert retold.check(written).reason == told


def test_a_title_of_a_stranger_is_a_reason_as_it_stands() -> None:
    """Its texts are in its own process."""
    fan = Finding("FAN101", "error", "blades are missing", values={"count": 2})
    assert title_of(fan) == "blades are missing"
    renamed = msgspec.structs.replace(example("MPS313"), title="another")
    assert title_of(renamed) == "another"


def doubled(template: str) -> str:
    """A template twice as long: what is no field stands in it twice."""
    return re.sub(r"[^{}]+(?![^{]*\})", lambda words: words[0] + "＿" * (cell_len(words[0].strip()) // 2), template)


@pytest.mark.parametrize("verbosity", [0, 1])
@pytest.mark.parametrize("name", ["accelerator-wins", "trouble"])
def test_a_language_twice_as_long_stays_within_80_cells(
    name: str, verbosity: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels and headings of tables too, as far as they do not run into each other."""
    english = texts.page
    monkeypatch.setattr(
        texts, "page", lambda language, page: {key: doubled(words) for key, words in english("en", page).items()}
    )
    lines = text_of(recorded(name), verbosity).splitlines()
    assert [line for line in lines if cell_len(line) > 80 and not line.startswith(" " * 8)] == []
