"""What MPS supports, without a device: from PyTorch's declarations, and from what its own tests expect to fail.

support = support_in("2.3")
for prediction in predict(["aten::cumsum", "aten::max_pool3d_with_indices"], support):
    print(sentence(prediction, support.version))
"""

from mpsdoctor.support.known_failures import KnownFailure, by_aten, known_failures
from mpsdoctor.support.limits import FALLBACK, FALLBACK_ON, macos_needed, newest_torch
from mpsdoctor.support.prediction import Call, Prediction, call_of, predict
from mpsdoctor.support.unseen import Unseen, unseen_lines
from mpsdoctor.support.versions import Support, support_for, support_in, support_of_installed
from mpsdoctor.support.wording import (
    Predicted,
    PredictionRow,
    describe_prediction,
    overall_answer,
    predictions_as_json,
    predictions_as_text,
    sentence,
)

__all__ = [
    "FALLBACK",
    "FALLBACK_ON",
    "Call",
    "KnownFailure",
    "Predicted",
    "Prediction",
    "PredictionRow",
    "Support",
    "Unseen",
    "by_aten",
    "call_of",
    "describe_prediction",
    "known_failures",
    "macos_needed",
    "newest_torch",
    "overall_answer",
    "predict",
    "predictions_as_json",
    "predictions_as_text",
    "sentence",
    "support_for",
    "support_in",
    "support_of_installed",
    "unseen_lines",
]
