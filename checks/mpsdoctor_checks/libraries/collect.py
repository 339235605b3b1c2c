"""Reads the packages of the examined interpreter, without importing one, and what each takes here."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mpsdoctor.check import Context, Sandbox, Skip, neutralised, typed
from mpsdoctor.facts import build_facts
from mpsdoctor.facts.build import Build
from mpsdoctor.facts.libraries import LibraryFacts, LibraryRow
from mpsdoctor.recommendation import recommend
from mpsdoctor.versions import release
from mpsdoctor.worker.torch_shapes import Packages
from mpsdoctor_checks.libraries.table import LIBRARIES, OTHER_BACKENDS, PACKAGES, VARIABLES, Era, Library

JOB = "mpsdoctor_worker.libraries:packages"
TRUE = {"1", "true", "yes", "y", "on", "t"}  # as accelerate reads a variable


def collect(context: Context) -> LibraryFacts:
    """Facts of this check; raises Skip where there is no torch that a library could use."""
    build = build_facts(context.facts)
    if not build["torch"]:
        raise Skip(build["interpreter_error"] or "there is no torch to train with")
    bare = Sandbox(context.workers.python, watch=context.workers.watch, neutralise=False)
    try:
        here = typed(bare.call(JOB, timeout=30.0, names=[*PACKAGES, *OTHER_BACKENDS]), Packages)
        recommended = recommend(context.facts, bare)
    finally:
        bare.close()
    variables = {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
    facts: LibraryFacts = {
        "libraries": list_libraries(here, build, variables),
        "recommended": recommended,
        "unusable": [device["device"] for device in build["devices"] if not device["usable"]],
        "variables": variables,
    }
    checked: LibraryFacts = neutralised(facts)
    return checked


def list_libraries(here: Packages, build: Build, variables: Mapping[str, str]) -> list[LibraryRow]:
    """A row for each library that is there."""
    rows = []
    for library in LIBRARIES:
        version = next((here["versions"][name] for name in library.packages if name in here["versions"]), None)
        if version is None:
            continue
        era = era_of(library, version)
        unknown = era is None or (library.name == "keras" and not trains_on_torch(here))
        rows.append(
            LibraryRow(
                name=library.name,
                version=version,
                picks=None if era is None or unknown else pick(library, era, build, variables),
                follows_run=bool(era and era.follows and not unknown),
                how=(era or library.eras[-1]).how,
            )
        )
    return rows


def era_of(library: Library, version: str) -> Era | None:
    """What the library does in this version; None for one that no era tells of."""
    present = release(version) or library.eras[0].since
    return next((era for era in library.eras if present >= era.since), None)


def trains_on_torch(here: Packages) -> bool:
    """Whether Keras does: it is told to, or nothing else is there."""
    if here["keras_backend"]:
        return here["keras_backend"] == "torch"
    return not any(name in here["versions"] for name in OTHER_BACKENDS)


def pick(library: Library, era: Era, build: Build, variables: Mapping[str, str]) -> str | None:
    """The device that it takes where a script names none: a variable's, else the first that is there in its order."""
    if library.name == "accelerate" and variables.get("ACCELERATE_USE_CPU", "").lower() in TRUE:
        return "cpu"
    named = next((variables[name] for name in library.variables if name in variables), "auto")
    if named not in ("auto", "gpu"):
        return named.partition(":")[0]
    torch = build["torch"]
    if not torch or torch["error"]:
        return None
    off = any(variables.get(name) == "1" for name in library.off)
    there = {
        "mps": bool(torch["mps_built"] if era.built else torch["mps_available"]) and not off,
        "cuda": bool(torch["cuda_available"]),
    }
    return next((device for device in era.order if there[device]), "cpu")
