"""Pages of HTML from the templates beside this: one file each, without script, whose texts are only text.

A page extends `base.html`, which has the style and forbids to load anything, and fills the blocks `title` and `body`.
"""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mpsdoctor.texts import joined, language, say, term


def render(template: str, **values: Any) -> str:
    """A page of the template with that name; all values are escaped. In a template `say` and `term` are words."""
    environment = Environment(
        loader=PackageLoader("mpsdoctor.formats"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(say=say, term=term, joined=joined, language=language)
    return environment.get_template(template).render(**values)
