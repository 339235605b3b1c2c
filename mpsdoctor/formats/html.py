"""One page: the verdict, what was found, step times as bars. No script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

import msgspec

from mpsdoctor.facts import read_facts
from mpsdoctor.formats import Style, operators, rows
from mpsdoctor.report import CheckResult, Finding, Report
from mpsdoctor.texts import language, say, term

STYLE = """
:root { color-scheme: light dark; --error: #c62828; --warning: #8f5500; --info: #2e7d32;
  --cpu: #78909c; --accelerator: #1e88e5; }
@media (prefers-color-scheme: dark) { :root { --error: #ff8a80; --warning: #ffb74d; --info: #81c784;
  --cpu: #90a4ae; --accelerator: #64b5f6; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .25rem .6rem; vertical-align: top; }
tr + tr { border-top: 1px solid #8884; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
.error { color: var(--error); } .warning { color: var(--warning); } .info { color: var(--info); }
.bar { background: var(--accelerator); height: .8rem; border-radius: 2px; min-width: 2px; }
.bar.cpu { background: var(--cpu); } .key { display: inline-block; width: .8rem; margin: 0 .3rem 0 .8rem; }
pre { background: #8882; padding: .6rem; overflow-x: auto; } summary { cursor: pointer; margin: .3rem 0; }
"""
HEAD = ("workload", "size", "device_column", "step", "interval", "against")
KEYS = ((" cpu", "bars_cpu"), ("", "bars_accelerators"))
WRONG = ("wrong", "nan", "crash", "timeout", "error")
# Should a reader's browser ever find something to load in here, it must not.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(report: Report, style: Style) -> str:
    title, *verdict = rows.headlines(report)
    body = [
        f"<h1>mpsdoctor: {escape(title)}</h1>",
        *list_items([*verdict, *(report.verdict.reasons[1:] if report.verdict else ())]),
        "<table>",
        *(f"<tr><th>{escape(name)}</th><td>{escape(words)}</td></tr>" for name, words in rows.about(report)),
        "</table>",
        *list_findings(report),
        *list_operators(report),
        *draw_times(report),
        f"<p>{escape(report.generated_at)}</p>",
    ]
    return page(f"mpsdoctor: {title}", body)


def page(title: str, body: Iterable[str]) -> str:
    """A whole page; the body is markup."""
    head = [
        f'<!doctype html><html lang="{language()}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
    ]
    return "\n".join([*head, *body, "</body></html>"]) + "\n"


def list_items(texts: Iterable[str]) -> Iterator[str]:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    if items:
        yield f"<ul>{items}</ul>"


def list_findings(report: Report) -> Iterator[str]:
    pairs = rows.findings(report)
    if pairs:
        yield f"<h2>{escape(say('report.findings_count', count=len(pairs)))}</h2>"
    for check, finding in pairs:
        yield from fold_finding(check, finding)


def fold_finding(check: CheckResult, finding: Finding) -> Iterator[str]:
    """A finding, opened by a click; the gravest are open."""
    opened = " open" if finding.severity == "error" else ""
    severity = f'<b class="{finding.severity}">{escape(term("severity", finding.severity))}</b>'
    title = f"{escape(finding.code)} {escape(finding.title)}"
    yield f"<details{opened}><summary>{severity} {title} <small>({escape(check.id)})</small></summary>"
    yield from (f"<p>{escape(line)}</p>" for line in finding.detail.splitlines())
    if finding.remedy:
        yield f"<p><b>{escape(say('report.what_to_do'))}</b> {escape(finding.remedy.text)}</p>"
        yield from (f"<pre>{escape(command)}</pre>" for command in finding.remedy.commands)
    # As text: a report comes from strangers, and so does its link.
    yield from (f"<p>{escape(link)}</p>" for link in finding.links)
    if finding.evidence:
        evidence = msgspec.json.format(msgspec.json.encode(finding.evidence), indent=1).decode()
        yield f"<details><summary>{escape(say('report.evidence'))}</summary><pre>{escape(evidence)}</pre></details>"
    yield "</details>"


def list_operators(report: Report) -> Iterator[str]:
    """Operators that give wrong numbers or do not end well, with dtypes and layouts; nothing where all are right."""
    try:
        wrong = wrong_operators(report)
    except rows.UNFIT:
        return
    if not wrong:
        return
    count = len({operator for _, (operator, _), _ in wrong})
    yield f"<h2>{escape(say('report.wrong_operators', count=count))}</h2><table>"
    heads = (escape(say(f"report.{name}")) for name in ("outcome", "operator", "device_column", "where"))
    yield f"<tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
    for outcome, names, places in wrong:
        cells = "".join(f"<td>{escape(name)}</td>" for name in names)
        yield f'<tr><td class="error">{escape(outcome)}</td>{cells}<td>{"<br>".join(map(escape, places))}</td></tr>'
    yield "</table>"


def wrong_operators(report: Report) -> list[tuple[str, tuple[str, str], list[str]]]:
    """The outcome, the operator with its device, and where: dtypes and layouts."""
    facts = read_facts(report).get("operators")
    groups = operators.group(facts.get("results", ()) if facts else ())
    return [
        (term("outcome", outcome), (operator, device), list(operators.places_of(probes, set(), always=True)))
        for (outcome, operator, device), probes in groups
        if outcome in WRONG
    ]


def draw_times(report: Report) -> Iterator[str]:
    """Step times, a bar each: the share of the longest one of the same workload and size."""
    timed = list(rows.timed(report))
    if not timed:
        return
    yield f"<h2>{escape(say('report.training'))}</h2>"
    keys = [f'<span class="bar key{kind}"></span>{escape(say(f"report.{name}"))}' for kind, name in KEYS]
    yield f"<p>{escape(say('report.bars'))}{''.join(keys)}</p><table>"
    *heads, against = (escape(say(f"report.{name}")) for name in HEAD)
    yield f"<tr>{''.join(f'<th>{head}</th>' for head in heads)}"
    yield f'<th>{against}</th><th style="width:30%"></th></tr>'
    for row in timed:
        longest = max(other.step_ms for other in timed if (other.workload, other.size) == (row.workload, row.size))
        width = 100 * row.step_ms / longest if longest > 0 else 0
        names = "".join(f"<td>{escape(text)}</td>" for text in (row.workload, row.size, row.device))
        figures = f'<td class="number">{escape(row.step)}</td><td>{escape(row.interval)}</td>'
        kind = " cpu" if row.device == "cpu" else ""
        bar = f'<td><div class="bar{kind}" style="width:{width:.0f}%"></div></td>'
        yield f"<tr>{names}{figures}<td>{escape(row.against)}</td>{bar}</tr>"
    yield "</table>"
