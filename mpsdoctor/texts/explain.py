"""The long text of a code: what was seen, what it means for a training, what to do, with an example."""

from __future__ import annotations

from collections.abc import Iterator

from mpsdoctor.texts import Text, Words, joined, language, texts


def titles() -> dict[str, str]:
    """The title of every code, filled as in its example."""
    return {code: title(text) for code, text in sorted(texts(language()).items())}


def title(text: Text) -> str:
    return Words(language(), text.parts).fill(text.title, text.example)


def paragraphs(code: str) -> Iterator[str]:
    """Three of them. KeyError for a code that does not exist."""
    text = texts(language())[code]
    yield from (text.seen, text.means, text.do)


def example(code: str) -> Iterator[str]:
    """A finding of this code as a report shows it, a line each; commands are indented."""
    text = texts(language())[code]
    words = Words(language(), text.parts)
    yield joined(": ", [code, title(text)])
    yield from words.fill(text.detail, text.example).splitlines()
    if text.remedy:
        yield f"→ {words.fill(text.remedy, text.example)}"
    yield from (f"    {command}" for command in text.commands)
