"""English."""

from mpsdoctor.texts.en import build, chip, common, environment, memory

PHRASES = common.PHRASES
TEXTS = {**chip.TEXTS, **build.TEXTS, **memory.TEXTS, **environment.TEXTS}
