"""English."""

from mpsdoctor.texts.en import chip, common, memory

PHRASES = common.PHRASES
TEXTS = {**chip.TEXTS, **memory.TEXTS}
