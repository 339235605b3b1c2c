"""What the record of known issues tells in English, by the English sentence."""

from mpsdoctor.texts.zh.recorded.faults import FAULTS
from mpsdoctor.texts.zh.recorded.remarks import REMARKS
from mpsdoctor.texts.zh.recorded.triggers import TRIGGERS
from mpsdoctor.texts.zh.recorded.ways import WAYS

SENTENCES = {**FAULTS, **TRIGGERS, **WAYS, **REMARKS}
