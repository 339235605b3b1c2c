"""Details of judgements in words: the worker names a sentence, the texts have it."""

from __future__ import annotations

from mpsdoctor.check import worker_wording
from mpsdoctor.texts import Wording, as_values
from mpsdoctor.worker.shapes import Judgement


def judgement_of(outcome: str, wording: Wording) -> Judgement:
    """A judgement of the doctor's own, as where a worker does not answer."""
    judgement: Judgement = {"outcome": outcome, "detail": ""}
    put_detail(judgement, wording)
    return judgement


def put_detail(judgement: Judgement, wording: Wording) -> None:
    """Put a sentence into a judgement as the report has it: in English, and what it was filled with."""
    judgement["detail"] = str(wording)
    if values := as_values(wording):
        judgement["detail_values"] = values


def fill_detail(judgement: Judgement) -> None:
    """Fill in the detail of a worker's judgement. UnusableAnswerError for a sentence that the texts do not have."""
    values = judgement.pop("detail_values", None)
    put_detail(judgement, worker_wording(judgement["detail"], values))
