"""Judgements of a worker as the doctor takes them."""

from __future__ import annotations

from mpsdoctor.worker.shapes import Judgement
from mpsdoctor_checks.operators.judgements import fill_detail


def in_words(judgement: Judgement) -> Judgement:
    """The same with its detail filled in."""
    filled = judgement.copy()
    fill_detail(filled)
    return filled
