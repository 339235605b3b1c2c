"""An entry of the known issues in words: where it is recorded, and the long text of `mpsdoctor explain ID`."""

from __future__ import annotations

from collections.abc import Iterator

from mpsdoctor.issues import links_of
from mpsdoctor.runtime.shapes import Issue
from mpsdoctor.texts import Part, Words, joined, language, say, term


def range_of(issue: Issue) -> Part:
    """The torch, macOS and chips that an entry is about."""
    begin, end = issue["torch_first_bad"], issue["torch_fixed"]
    name = "between" if begin and end else "from" if begin else "before" if end else ""
    versions = Part(f"issue_torch_{name}" if name else "issue_all_torch", {"begin": begin, "end": end})
    macos, chip, condition = issue["macos"], issue["chip"], issue["condition"]
    narrower = {
        "on_macos": Part("issue_macos_range", {"condition": macos}) if macos else Part(""),
        "on_chips": Part("issue_chip_range", {"chips": chip.replace("|", ", ")}) if chip else Part(""),
        "on_python": Part("issue_chip_range", {"chips": condition}) if condition else Part(""),
    }
    return Part("issue_range", {"versions": versions, **narrower})


def in_words(part: Part) -> str:
    """In the language of who reads."""
    return Words(language(), {}).fill_part(part, {})


def title(issue: Issue) -> str:
    return say("known.title", id=issue["id"], kind=term("outcome", issue["kind"]), op=issue["op"])


def paragraphs(issue: Issue) -> Iterator[str]:
    """All that is recorded, a paragraph each."""
    yield say("known.what", what=issue["what"])
    yield say("known.trigger", trigger=issue["trigger"].rstrip("."))
    yield say("known.where", range=in_words(range_of(issue)))
    first, last = (issue[name] or say("known.basis_none") for name in ("first_bad_basis", "fixed_basis"))
    basis, status = say("known.basis", first=first, last=last), say(f"known.status_{issue['status']}")
    yield joined(" ", [basis, status])
    workaround = issue["workaround"]
    yield say("known.around", workaround=workaround.rstrip(".")) if workaround else say("known.no_way")
    yield joined(" ", remarks(issue))
    module, _, function = issue["canary"].partition(":")
    yield say("known.canary", module=module, function=function)


def remarks(issue: Issue) -> Iterator[str]:
    """How sure it is, and what is special about it."""
    yield say("known.certainty", certainty=issue["certainty"])
    for name in ("doubt", "chance", "dangerous"):
        text = issue[name]
        if text:
            yield say(f"known.{name}", **{name: text})
    if issue["core"]:
        yield say("known.core")
    if issue["memory_mib"]:
        yield say("known.memory", memory=f"{issue['memory_mib']:g}")


def links(issue: Issue) -> list[str]:
    return list(links_of(issue))
