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
    reasons,
    training,
    verdict,
)

PHRASES = {**common.PHRASES, **verdict.PHRASES, **reasons.PHRASES, **hints.PHRASES}
_MODULES = (chip, build, operators, ops, memory, training, advice, environment, checks)
TEXTS = {code: text for module in _MODULES for code, text in module.TEXTS.items()}
