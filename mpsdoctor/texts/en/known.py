"""What people read of an entry of the known issues, and of their list."""

PHRASES = {
    "title": "{id}: {kind}, {op}",
    "what": "{what}",
    "trigger": "It takes: {trigger}.",
    "where": "Recorded as wrong: {range}.",
    "basis": "How these versions are known: {first} (first), {last} (fixed).",
    "basis_none": "not told",
    "status_open": "The report is open.",
    "status_closed": "The report is closed.",
    "around": "Way around it: {workaround}.",
    "no_way": "No way around it is recorded.",
    "certainty": "How sure: {certainty}.",
    "doubt": "Doubt: {doubt}",
    "core": "Every training depends on it: a device on which it is wrong is ruled out.",
    "chance": "It shows now and then: {chance}.",
    "dangerous": "Dangerous: {dangerous} It is tried with --include-dangerous alone.",
    "memory": "Its canary takes {memory} MiB.",
    "canary": "Tried by: canaries/{module}.py, {function}.",
    # the list
    "list_head": "{count} of {total} entries are recorded as wrong for torch {torch}, macOS {macos}, {chip}:",
    "list_none": "No entry is recorded as wrong for torch {torch}, macOS {macos}, {chip}.",
    "list_line": "{id}: {what}",
    "list_more": "`mpsdoctor explain ID` has all of one; `mpsdoctor known-issues` tries them.",
    "unknown": "?",
    "nothing_to_export": "nothing to export: no canary was run on a device that the entries are about",
}
