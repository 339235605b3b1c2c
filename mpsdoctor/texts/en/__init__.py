"""English."""

from mpsdoctor.texts.en import checks, chip, common, memory

PHRASES = common.PHRASES
TEXTS = {**chip.TEXTS, **memory.TEXTS, **checks.TEXTS}
