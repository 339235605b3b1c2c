"""The sentences of every cause, as the data file of causes has them."""

from mpsdoctor.explain.source import load_causes

SENTENCES = ("what", "means", "do", "torch", "macos")
PHRASES = {
    f"{cause}_{name}": entry[name]
    for cause, entry in load_causes().items()
    if "what" in entry
    for name in SENTENCES
    if name in entry
}
