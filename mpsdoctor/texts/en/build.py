"""2xx: the torch build and its devices."""

from mpsdoctor.texts import Each, Part, Text
from mpsdoctor.texts.en import common

CPU_TRAINS = " Training on the CPU works all the same."

TEXTS = {
    "MPS201": Text(
        "torch is not installed",
        "{executable} has no module named torch, so nothing can be trained with it.",
        "Install torch into this environment.{note}",
        links=("https://pytorch.org/get-started/locally/",),
        seen="The examined Python has no module named torch.",
        means="Nothing can be trained with this Python, and checks that need torch cannot run.",
        do="Install torch into this environment, or name the Python of another one with --python.",
        example={"executable": "~/project/.venv/bin/python", "note": Part("pip_works")},
    ),
    "MPS202": Text(
        "torch is installed but cannot be used",
        "Importing it, or asking it for its devices, failed: {error}",
        "Reinstall torch in this environment; a file named torch.py beside your script hides it too.{note}",
        parts={
            "cannot_be_imported_with": "torch{release} cannot be imported with {settings}",
            "release": " {torch}",
            "setting": "{name}={value!r}",
            "further_setting": " and {name}={value!r}",
            "fails_with_it": "The import failed: {told}{rule} Without it the import succeeds, so the check-up goes on"
            " without it.",
            "whole_number": " Torch 2.0 to 2.7 read it as a whole number while they load and abort where it is none"
            " (true, false, nothing); 1 and 0 work in every version.",
            "unset": "Unset it in the shell, and in the profile or job script that sets it.",
        },
        seen="torch is there, but fails when it is imported or asked for its devices, in some cases only while a"
        " certain PYTORCH_* variable is set.",
        means="A training in this environment ends at `import torch`. A damaged installation does that, a file named"
        " torch.py beside the script, and a variable: torch 2.0 to 2.7 abort where PYTORCH_ENABLE_MPS_FALLBACK is no"
        " whole number.",
        do="Where a variable is named, unset it. Otherwise look for a file named torch.py, and reinstall torch.",
        example={
            "error": "ImportError: libtorch is damaged",
            "note": Part("pip_works"),
            "release": Part("release"),
            "torch": "2.7.1",
            "settings": [
                Each("setting", [{"name": "PYTORCH_ENABLE_MPS_FALLBACK", "value": "true"}]),
                Each("further_setting", [{"name": "PYTORCH_JIT", "value": "true"}], joint=""),
            ],
            "name": "PYTORCH_ENABLE_MPS_FALLBACK",
            "value": "true",
            "told": "the worker did not end: killed by SIGABRT.",
            "rule": Part("whole_number"),
        },
    ),
    "MPS203": Text(
        "this torch was built without MPS",
        "torch {torch} was built without MPS: the wheels for macOS arm64 have it." + CPU_TRAINS,
        "Install torch from PyPI in an arm64 Python.{note}",
        seen="The Mac has an Apple chip and the Python is made for it, but torch reports that it was built without"
        " MPS.",
        means="Training runs on the CPU alone. The packages on PyPI for macOS on arm64 have MPS, so this torch is"
        " another build.",
        do="Install torch from PyPI in an arm64 Python.",
        example={"torch": "2.13.0", "note": Part("pip_works")},
    ),
    "MPS204": Text(
        "an x86_64 Python on Apple silicon",
        "This Python is an x86_64 program that Rosetta translates. Torch sees an Intel processor: no MPS, and the CPU"
        " runs at a fraction of its speed." + CPU_TRAINS,
        common.PHRASES["arm64_python"] + " 'file' tells what a Python is.",
        seen="The chip is from Apple, but the examined Python is an x86_64 program. macOS translates it with Rosetta.",
        means="torch sees an Intel processor. It has no MPS there, the newest version that can be installed is 2.2, and"
        " the CPU runs at a fraction of its speed.",
        do="Install an arm64 Python and make the environment anew with it. `file`, followed by the path of a Python,"
        " tells which of the two it is.",
    ),
    "MPS205": Text(
        "macOS is older than {needed}",
        "torch {torch} uses MPS on macOS {needed} or later; this is macOS {macos}." + CPU_TRAINS,
        "Update macOS to {needed} or later, or install a torch that supports this one.",
        seen="Each torch needs a certain macOS for MPS, and this macOS is older than what the installed torch needs.",
        means="`torch.backends.mps.is_available()` is False, and training runs on the CPU. MPS needs macOS 12.3 up to"
        " torch 2.5, 13 from 2.6 on, 14 from 2.9 on and 15 from 2.15 on.",
        do="Update macOS, or install a torch whose MPS works on this one.",
        example={"torch": "2.13.0", "needed": "14.0", "macos": "13.6.1"},
    ),
    "MPS206": Text(
        "MPS is built in but not available",
        "Torch was built with MPS and macOS is recent enough, yet it reports no device. Sandboxed terminals and some"
        " virtual machines hide the GPU (the reason torch prints, an old macOS, is wrong then)." + CPU_TRAINS,
        "Run mpsdoctor again from Terminal.app, outside any sandbox or virtual machine.",
        seen="torch was built with MPS and the version of macOS is no obstacle, yet torch reports no MPS device.",
        means="Training runs on the CPU. Sandboxed terminals and some virtual machines hide the GPU; torch then blames"
        " an old macOS, which is wrong.",
        do="Run mpsdoctor again from Terminal.app, outside any sandbox or virtual machine. If MPS is there, start"
        " trainings in the same way.",
    ),
    "MPS207": Text(
        "{device} is available but unusable",
        "Torch offers it, but allocating, computing and comparing 16 KB failed: {told}{cause}{dialog} Training on"
        " another device is not affected.",
        "Train on another device; if this one should work, restart the machine and examine again.",
        parts={
            "refused": " Torch refuses the value of a variable that is set here; the check of environment variables"
            " names it.",
            "unset": "Unset that variable, then examine again.",
            "virtual_mac": " This is a virtual Mac, and those of CI services are known for it (pytorch#188438).",
            "physical_mac": "Train on the CPU here, and on MPS on a physical Mac.",
            # What a probe that dies may put on a Mac's screen, which no program of ours can prevent.
            "dialog": " macOS may show 'Python quit unexpectedly' for it; that window can be closed.",
        },
        seen="torch offers the device, but a first small computation on it failed, gave wrong numbers, ended the"
        " process or did not come to an end.",
        means="That torch offers a device does not mean that it works: a training cannot be run on this one. On"
        " virtual Macs MPS is known to fail so. It fails too where a variable has a value that torch refuses.",
        do="Where a variable is to blame, unset it. Otherwise train on another device, or restart the machine and"
        " examine again.",
        example={
            "device": "mps",
            "told": "error: RuntimeError: MPS backend out of memory (max allowed: 7.93 GB).",
            "cause": Part("virtual_mac"),
            "dialog": Part("dialog"),
        },
    ),
    "MPS208": Text(
        "this is {os}, so there is no MPS",
        "MPS exists on Apple silicon under macOS only; the devices listed are what torch offers here.",
        parts={"no_mac": "no Mac"},
        seen="The operating system is not macOS.",
        means="MPS exists on Apple silicon under macOS only. The other devices that torch offers here are examined.",
        do="Nothing needs to be done. What concerns MPS needs a Mac with Apple silicon.",
        example={"os": "Linux"},
    ),
    "MPS209": Text(
        "the interpreter cannot be examined",
        "{error}",
        "Name a Python 3.9 or later with --python.",
        seen="The Python to examine did not start, or did not answer what it was asked.",
        means="Which torch it has, and which devices, is not known. Checks that need torch cannot run.",
        do="Name a Python 3.9 or later with --python.",
        example={"error": "no such file: ~/project/.venv/bin/python"},
    ),
    "MPS211": Text(
        "torch was built for CUDA, but finds no CUDA device",
        "This build brings CUDA {cuda}. Without an NVIDIA GPU it trains on the CPU.",
        seen="The installed torch is a build for CUDA, and it finds no CUDA device.",
        means="Without an NVIDIA GPU this torch trains on the CPU.",
        do="Nothing needs to be done on a machine without an NVIDIA GPU. On one that has it, torch does not find it.",
        example={"cuda": "13.0"},
    ),
    "MPS212": Text(
        "torch does not offer {missing:,list} here",
        "Asked for: {asked_for:,list}. Torch offers: {offered:,list}.",
        seen="A device was asked for by its name, and torch does not offer it here.",
        means="It is not examined. Where no other device that was asked for can be used, nothing is trained.",
        do="Ask for a device that torch offers.",
        example={"missing": ["xpu"], "asked_for": ["cpu", "xpu"], "offered": ["cpu", "mps"]},
    ),
    "MPS213": Text(
        "an Intel Mac",
        "On Intel Macs torch trains on the CPU; its macOS wheels for x86_64 ended with torch 2.2.",
        "Stay with torch 2.2.{note}",
        seen="The processor of this Mac is from Intel, and torch reports no MPS.",
        means="Training runs on the CPU. torch 2.2 is the last release with packages for Intel Macs.",
        do="Stay with torch 2.2, or train on another machine.",
        example={"note": Part("pip_works")},
    ),
}
