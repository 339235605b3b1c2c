"""What a check is doing, while it does it."""

PHRASES = {
    "importing_torch": "importing torch",
    "trying_device": "trying {device}",
    "timing_unprotected": "nothing keeps other timed runs away: {why}",
    "importing_torch_for": "operators {device}: importing torch",
    "probing": "operators {device}: {done} of {planned}{outcomes}",
    "outcome_counts": ", {counts}",
    "outcome_count": "{count} {outcome}",
    "auditing": "operators {device}: whether the CPU steps in for {count} probes",
    "sampling": "op_db {device}: {samples:,} samples{outcomes}",
    "importing_op_db": "op_db: importing torch's operator database",
    "recording_step": "model: one training step of {target} on the CPU",
    "replaying": "model {device}: calls replayed",
    "listing_operators": "prediction: the operators that are called",
    "getting_ready": "getting {device} ready",
    "waiting_for_quiet": "waiting for quiet: other programs take {percent:.0f} % of the processor",
    # timed training
    "narrated": "{doing}: {workload} {size}{figures}",
    "timing": "timing {devices:and}",
    "timing_again": "timing {devices:and} again",
    "trying_ways": "trying {ways} on {device}",
    "way": "{way}",
    "trying_batches": "trying batches of {batch} on cpu and {device}",
    "step_figure": ", {name} {ms:duration} ± {percent:.0f} %",
    "step_not_settled": ", {name} not settled",
    "seconds_left": ", about {left:.0f} s left",
}
