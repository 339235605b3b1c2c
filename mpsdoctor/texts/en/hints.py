"""What was measured as advice, a sentence each: the hints of the profile."""

TIMES = "{speedup:figure} times ({ci95:range})"

PHRASES = {
    "hint_crossover": "{device} overtakes the CPU at batch {batch} of {workload} {size} ({low} to {high})",
    "hint_batch": "{end:.0f}",
    "hint_no_batch": "?",
    "hint_item": "reading the loss in every step costs {cost_ms:duration} ({cost_ci95_ms[0]:duration} to"
    " {cost_ci95_ms[1]:duration}) beside the {usual_ms:duration} of a step of {workload} {size} on {device}: keep it on"
    " the device and read it every 50 steps",
    "hint_copy": "copying the batch takes {percent:.0f} % ({percent_ci95[0]:.0f} to {percent_ci95[1]:.0f} %) of a step"
    " of {workload} {size} on {device}: keep data that fits on the device, or copy the next batch while the last one is"
    " computed",
    "hint_autocast": f"{{dtype}} autocast trains {{workload}} {{size}} {TIMES} as fast as float32 on {{device}}",
    "hint_threads": f"{{way}} train {{workload}} {{size}} {TIMES} as fast on the CPU as torch's own number of threads",
    "hint_channels_last": f"channels_last trains {{workload}} {{size}} {TIMES} as fast on {{device}}",
    "hint_fused": f"AdamW(…, fused=True) trains {{workload}} {{size}} {TIMES} as fast on {{device}}",
    "hint_nnpack": f"the CPU trains {{workload}} {{size}} {TIMES} as fast without NNPACK: call"
    " torch.backends.nnpack.set_flags(False) first",
    "hint_memory": "memory of {device} grows by {bytes_per_step:size} a step of {workload} {size}",
    # Ways to train, where they have no name in torch.
    "way_thread": "{threads} thread",
    "way_threads": "{threads} threads",
    "way_item": "reading the loss",
    "way_copy": "batches there",
    "way_nnpack": "without NNPACK",
}
