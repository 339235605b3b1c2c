"""English."""

from mpsdoctor.texts.en import (
    advice,
    build,
    checks,
    chip,
    common,
    environment,
    hints,
    memory,
    operators,
    ops,
    prediction,
    progress,
    reasons,
    training,
    verdict,
)

_PHRASES = (common, verdict, reasons, hints, prediction, progress, ops)
PHRASES = {name: phrase for module in _PHRASES for name, phrase in module.PHRASES.items()}
_MODULES = (chip, build, operators, ops, memory, training, advice, environment, checks)
TEXTS = {code: text for module in _MODULES for code, text in module.TEXTS.items()}
