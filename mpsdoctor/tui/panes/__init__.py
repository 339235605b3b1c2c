"""The tabs, one a file: by the name that a person reads, module and class, imported when the tab is opened."""

PANES = {
    "overview": "overview:Overview",
    "checks": "checks:Checks",
    "operators": "operators:Operators",
    "training": "training:Training",
    "memory": "memory:Memory",
    "profile": "profile:Profile",
    "own": "own:Own",
}
TABS = tuple(PANES)
