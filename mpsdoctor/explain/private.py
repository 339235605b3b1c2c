"""Takes out of quoted lines what is nobody's business: names, addresses, serial numbers, keys."""

from __future__ import annotations

import re

from mpsdoctor import clean

HIDDEN = "…"
NAMED = r"(?:serial|hardware uuid|udid|hostname|host name|computer name|user name|token|password|api.?key)"
PRIVATE = (
    (re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,32}){0,4}"), HIDDEN),  # mail, user@host of a prompt
    (re.compile(r"([A-Za-z]:[\\/]{1,2}Users[\\/]{1,2})[^\\/\s:'\"]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"/(?:Users|home)/[^/\s:'\"]+", re.IGNORECASE), "~"),
    (re.compile(r"/private/var/folders/\S{0,200}|/var/folders/\S{0,200}"), f"/var/folders/{HIDDEN}"),
    (re.compile(r"/Volumes/[^/\s:'\"]+"), f"/Volumes/{HIDDEN}"),
    (re.compile(r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"), HIDDEN),
    (re.compile(r"\b(?:hf|ghp|gho|sk|pypi|glpat|xoxb)[-_][A-Za-z0-9_-]{12,200}"), HIDDEN),
    (re.compile(rf"({NAMED}[^:=\n]{{0,20}}[:=] ?)\S.{{0,80}}", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b[\w-]{1,40}\.(?:local|lan|home|fritz\.box)\b"), HIDDEN),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), HIDDEN),
    (re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE), HIDDEN),
)  # fmt: skip


def public(line: str) -> str:
    """A line as it may be shown to anybody."""
    for expression, instead in PRIVATE:
        line = expression.sub(instead, line)
    return clean.line(line)
