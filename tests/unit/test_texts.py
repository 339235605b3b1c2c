"""Every code is listed, documented, emitted by some test, and shown with an example."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from mpsdoctor import texts
from mpsdoctor.check import finding
from mpsdoctor.texts import Each, Part, Text, explain

ROOT = Path(__file__).parents[2]
TITLES = Path(__file__).with_name("recorded") / "titles.txt"
CODE = re.compile(r"\"((?:MPS|FLEET)[1-9]\d\d)\"")
ENGLISH = texts.texts("en")


def codes_in(files: Iterable[Path]) -> set[str]:
    return {code for file in files for code in CODE.findall(file.read_text(encoding="utf-8"))}


def product() -> list[Path]:
    every = [*(ROOT / "mpsdoctor").rglob("*.py"), *(ROOT / "checks").rglob("*.py")]
    return [file for file in every if "texts" not in file.parts]


def test_every_code_of_a_rule_has_words_and_every_text_a_rule() -> None:
    """No rule yields a code without words, and no words lie about that no rule uses."""
    assert codes_in(product()) == set(ENGLISH)


def test_every_code_is_emitted_by_some_test() -> None:
    """A code that no test names could change its meaning unseen."""
    tests = [file for file in (ROOT / "tests").rglob("test_*.py") if file.name != Path(__file__).name]
    assert set(ENGLISH) - codes_in(tests) == set()


def test_a_code_keeps_its_title() -> None:
    """Code and title are pinned together: a code never changes its meaning."""
    assert "".join(f"{code} {text.title}\n" for code, text in sorted(ENGLISH.items())) == TITLES.read_text("utf-8")


@pytest.mark.parametrize("code", ENGLISH)
def test_every_code_is_explained_with_an_example(code: str) -> None:
    """Three paragraphs, and an example in which every template finds its values."""
    text = ENGLISH[code]
    assert all(paragraph.endswith((".", ":")) for paragraph in explain.paragraphs(code))
    shown = "\n".join(explain.example(code))
    assert shown.startswith(f"{code}: ")
    assert "{" not in shown.replace("'{", "")
    for template in (text.title, text.detail, text.remedy):
        assert texts.Words("en", text.parts).fill(template, text.example) == texts.Words("en", text.parts).fill(
            template, texts.from_data(json.loads(json.dumps(texts.as_data(text.example))))
        )


def test_every_part_is_used_by_a_rule_or_a_template() -> None:
    """No words lie about: a part is named by a rule, a template, or another part."""
    source = "\n".join(file.read_text(encoding="utf-8") for file in product())
    for code, text in ENGLISH.items():
        written = source + repr(text)
        assert [name for name in text.parts if f'"{name}"' not in source and written.count(f"'{name}'") < 2] == [], code


def test_a_finding_can_be_told_again_from_its_values() -> None:
    """What the report carries is enough to fill the texts of any language."""
    made = finding("MPS402", "warning", **ENGLISH["MPS402"].example)
    assert made.values is not None
    values = texts.from_data(json.loads(json.dumps(made.values)))
    assert (
        texts.fill("MPS402", "title", values)
        == made.title
        == "9.0 GiB are swapped out, and 80 MiB a second go in and out now"
    )
    assert texts.fill("MPS402", "detail", values) == made.detail


def test_a_third_party_check_may_bring_its_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its codes are filled like ours, and cannot take the place of ours."""
    known = dict(ENGLISH)
    monkeypatch.setattr(texts, "texts", lambda language: known)
    fans = {"FAN101": Text("{count} blades", "{all}.", parts={"one": "blade {number}"})}
    texts.add("en", fans)
    made = finding("FAN101", "info", count=2, all=Each("one", [{"number": 1}, {"number": 2}], ", "))
    assert (made.title, made.detail, made.remedy) == ("2 blades", "blade 1, blade 2.", None)
    with pytest.raises(ValueError, match="MPS101"):
        texts.add("en", {"MPS101": Text("ours")})


def test_values_are_not_taken_for_templates() -> None:
    """Braces in what a stranger's program said stay what they are."""
    assert finding("MPS902", "error", last_words="{traceback} {0.__class__}").detail == "{traceback} {0.__class__}"


def test_a_part_without_a_name_says_nothing() -> None:
    """So a rule can leave a sentence out."""
    assert str(Part("")) == ""


@pytest.mark.parametrize(
    ("items", "said"), [((), ""), (("a",), "a"), (("a", "b"), "a and b"), (("a", "b", "c"), "a, b and c")]
)
def test_a_list_has_its_and_before_the_last_alone(items: str, said: str) -> None:
    words = texts.Words("en", {"one": "{name}"})
    assert words.fill("{items:and}", {"items": items}) == said
    rows = [{"name": name} for name in items]
    assert words.fill("{items}", {"items": texts.Each("one", rows, "and")}) == said
