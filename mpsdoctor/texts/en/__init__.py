"""English."""

from mpsdoctor.texts.en import advice, build, checks, chip, common, environment, memory, training

PHRASES = common.PHRASES
TEXTS = {
    **advice.TEXTS,
    **build.TEXTS,
    **checks.TEXTS,
    **chip.TEXTS,
    **environment.TEXTS,
    **memory.TEXTS,
    **training.TEXTS,
}
