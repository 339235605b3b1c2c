"""9xx: a check that failed."""

from mpsdoctor.texts import Part, Text

OTHERS_GO_ON = "The other checks are not affected: each runs in a process that may die."
REPORT = "Report this to the authors of the check; the other checks are not affected."
SOURCE = "`mpsdoctor checks` tells where the check comes from."

TEXTS = {
    "MPS901": Text(
        "the check raised an error",
        "{traceback}",
        REPORT,
        parts={
            "unfit": "It sent what is neither a finding nor facts, or too much; that was left out, the rest stays."
            " {problems:,list}"
        },
        seen="A check ended with a Python exception, or sent something else than findings and facts: an error in the"
        " check and not in what it examines.",
        means=f"What it would have found there is not known. {OTHERS_GO_ON}",
        do=f"{SOURCE} Send its authors the traceback; leave it out with --skip meanwhile.",
        example={
            "traceback": "Traceback (most recent call last):\n  File \"fan.py\", line 4, in run\nKeyError: 'blades'"
        },
    ),
    "MPS902": Text(
        "the check did not end in time",
        "{last_words}",
        REPORT,
        seen="A check took more than three times its share of the budget, and the patience that it asks for on top.",
        means=f"It was ended. Findings that it sent before stay. {OTHERS_GO_ON}",
        do=f"On a busy machine try again with nothing else running. {SOURCE}",
        example={"last_words": Part("no_answer_within", {"seconds": 35})},
    ),
    "MPS903": Text(
        "the check crashed",
        "{last_words}",
        REPORT,
        seen="The process that a check ran in died: a signal such as SIGSEGV or SIGABRT, or an exit.",
        means=f"Findings that it sent before stay. {OTHERS_GO_ON}",
        do=f"The last words of the process are in the detail. {SOURCE}",
        example={"last_words": Part("signal_name", {"name": "SIGABRT"})},
    ),
    "MPS904": Text(
        "the check sent control characters",
        "Its title, findings or prints held characters that a terminal acts upon; they are spelled out.",
        REPORT,
        seen="A text of the check held escape sequences, with which a program can repaint a terminal or its title.",
        means="Nothing was executed: mpsdoctor spells them out. What the check says may be meant to deceive.",
        do=f"{SOURCE} Remove the package if you do not know it.",
    ),
    "MPS905": Text(
        "the check cannot be loaded",
        "{problem}",
        REPORT,
        seen="An installed package offers a check, but importing it failed, or it lacks id, title or run.",
        means=f"It is left out. {OTHERS_GO_ON}",
        do=f"{SOURCE} Upgrade or remove that package.",
        example={"problem": "ModuleNotFoundError: No module named 'fan'"},
    ),
}
