"""Details of judgements in words: the worker names a sentence, the texts have it."""

from __future__ import annotations

from mpsdoctor.check import UnusableAnswerError
from mpsdoctor.texts import UNFILLABLE, Part, Wording, as_values, from_values
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
    if values is None:
        return
    wording = from_values("", values)
    try:
        put_detail(judgement, wording)
    except UNFILLABLE as error:
        raise UnusableAnswerError(f"unusable detail: {type(error).__name__}: {error}") from None
    if not isinstance(wording, Part):
        raise UnusableAnswerError("unusable detail: it names no part")
