"""English."""

from mpsdoctor.texts.en import advice, chip, common, memory, training

PHRASES = common.PHRASES
TEXTS = {**chip.TEXTS, **memory.TEXTS, **training.TEXTS, **advice.TEXTS}
