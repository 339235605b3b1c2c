"""Writes docs/schemas.md from the JSON Schemas: every key of every document that mpsdoctor prints or keeps.

python tools/write_schemas.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mpsdoctor.formats.schemas import DOCUMENTS, Schema, schema

PAGE = Path(__file__).parents[1] / "docs" / "schemas.md"
HEAD = """# Schemas

Every key of the JSON documents. Written by `python tools/write_schemas.py` from the types: change those, not this page.
`mpsdoctor schema NAME` prints the JSON Schema, which has patterns and ranges too. Unknown is null, never a guess;
readers ignore keys that they do not know; a key in *italics* has a default and may be missing. What the checks put into
`facts` is told where they are explained: [operators](operators.md), [training](training.md#in-the-json-report).
"""


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    yield HEAD
    for name in DOCUMENTS:
        yield f"- [{name}](#{name})"
    for name in DOCUMENTS:
        described = schema(name)
        yield from ("", f"## {name}", "", f"`mpsdoctor schema {name}`")
        root = described["$ref"].rpartition("/")[2]
        for each in [root, *(key for key in described["$defs"] if key != root)]:
            yield from section(described["$defs"][each], name, is_root=each == root)


def section(struct: Schema, document: str, *, is_root: bool) -> Iterator[str]:
    """One object: what it is, and a row for each key."""
    if not is_root:
        yield from ("", f"### {heading(struct['title'], document)}")
    if "description" in struct:
        yield from ("", " ".join(struct["description"].split()))
    yield from ("", "| key | is |", "|---|---|")
    for key, value in struct["properties"].items():
        name = f"`{key}`" if key in struct.get("required", ()) else f"*`{key}`*"
        yield f"| {name} | {shape(value, document)} |"


def heading(title: str, document: str) -> str:
    return f"{title} of {document}"


def shape(value: Schema, document: str) -> str:
    """A type in words, with links to the objects that it is made of."""
    if "$ref" in value:
        title = value["$ref"].rpartition("/")[2]
        return f"[{title}](#{heading(title, document).lower().replace(' ', '-')})"
    if "anyOf" in value:
        return " or ".join(shape(each, document) for each in value["anyOf"])
    if "enum" in value:
        return " or ".join(f"`{each}`" for each in value["enum"])
    if "prefixItems" in value:
        return "list: " + ", ".join(shape(each, document) for each in value["prefixItems"])
    if "items" in value:
        return f"list of {shape(value['items'], document)}"
    if value.get("additionalProperties"):
        return f"object by name: {shape(value['additionalProperties'], document)}"
    return str(value.get("type", "anything"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
