"""Phrases that several codes share."""

FALLBACK_ON = "PYTORCH_ENABLE_MPS_FALLBACK=1"

PHRASES = {
    "and": " and ",
    "comma": ", ",
    "semicolon": "; ",
    "colon": ": ",
    "range": "{low:figure} to {high:figure}",
    "wide_range": "the figures scatter",
    "ended": "{sentence}.",
    "ignore_on_cpu": "If you train on the CPU you can ignore this.",
    "arm64_python": (
        "Install an arm64 Python and make the environment anew with it. A Homebrew in /usr/local is the one for Intel "
        "and installs an x86_64 Python again; the one for Apple silicon is in /opt/homebrew. uv and conda do it too: "
        "the last two commands, either of them in place of the others."
    ),
    "pip_works": "",
    "externally_managed": (
        " This Python belongs to Homebrew or the system and takes no packages: make an environment with it first."
    ),
    "no_pip": " This environment has no pip: uv installs into it, or ensurepip brings pip.",
    # Of operators that are missing or not right.
    "newer_none": " No newer torch than {have} is known for this system.",
    "newer_unknown": " Whether a newer torch mends it is not known.",
    "newer_lacks_it": " No torch up to {last} has all that is missing.",
    "newer_has_it": " torch {since} has what is missing: upgrade.",
    "newer_needs_macos": " torch {since} has what is missing, and needs macOS {needed}.",
    # Beside the message of a failure that is known.
    "known_cause": " ({what}: 'mpsdoctor explain {cause}')",
    "known_cause_sentence": " This is known: {what} ('mpsdoctor explain {cause}').",
    # Why torch refuses the value of a variable.
    "no_ratio": "{name} is not a ratio between 0 and {most:g}",
    "low_above_high": "the low watermark {low_ratio:g} lies above the high watermark {high_ratio:g}",
    "no_log_options": "{name} is no sum of torch's options, which are 1 to 512",
    "no_signpost_options": "{name} is no sum of torch's options",
}
