"""English."""

from mpsdoctor.texts.en import advice, checks, chip, common, memory, training

PHRASES = common.PHRASES
TEXTS = {**advice.TEXTS, **checks.TEXTS, **chip.TEXTS, **memory.TEXTS, **training.TEXTS}
