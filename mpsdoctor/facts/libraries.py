"""Facts of `libraries`: what trains here, where by itself, and how it is told otherwise."""

from __future__ import annotations

from typing import Literal, TypedDict


class LibraryRow(TypedDict):
    """A training library of the examined interpreter.

    `picks` is the device that it takes by itself here, None where nobody knows; `follows_run` whether `mpsdoctor run`
    steers it; `how` the line to write in a script, in which `device` is what `get_optimal_device()` gave.
    """

    name: str
    version: str
    picks: str | None
    follows_run: bool
    how: str


class Recommended(TypedDict):
    """The device to train on, and whether this check-up measured it or a profile recorded it."""

    device: str
    source: Literal["measured", "profile", "forced"]


class LibraryFacts(TypedDict):
    """`unusable` are devices that torch offers and that failed when they were tried; `variables` steer libraries."""

    libraries: list[LibraryRow]
    recommended: Recommended | None
    unusable: list[str]
    variables: dict[str, str]
