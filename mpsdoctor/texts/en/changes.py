"""What `mpsdoctor compare` says of each change, and why speeds cannot be compared."""

PHRASES = {
    "old_report": "the old report",
    "new_report": "the new report",
    # Why speeds cannot be compared.
    "other_machine": "{what} is another: {before}, then {after}",
    "machine_os": "the operating system",
    "machine_chip": "the chip",
    "machine_model": "the model of the machine",
    "machine_gpu_cores": "the number of GPU cores",
    "machine_virtual_machine": "whether it is a virtual machine",
    "machine_device": "the device {device}",
    "other_memory": "the memory is another: {before:size}, then {after:size}",
    "other_budget": "the budget is another: {before}, then {after}",
    "other_low_power": "low power mode was on in {side} alone",
    "other_on_battery": "the machine ran on battery in {side} alone",
    "timings_disturbed": "the timings of {side} were disturbed{why}",
    "disturbed_by": ": {reasons:,list}",
    "timed_under_pressure": "memory was under pressure in {side}",
    "timed_hot": "the machine was warm in {side}",
    "no_blocks": "{side} does not hold the single blocks of its timings",
    "no_timings": "{side} has no timings",
    "other_trainings": "no training was timed in the same way in both reports",
    "unsteady": (
        "the timings are not steady: two such check-ups may differ by {percent:.0f} % and more without any change"
    ),
    # What a change means.
    "step_major": "another major version: operators and speed may be others",
    "step_minor": "another minor version: operators and speed may be others",
    "step_patch": "another patch release",
    "step_build": "another build of the same version",
    "device_reason": "{reason}",
    "changed_finding": "{title}",
    "of_the_moment": "{title}: a state of that moment",
    "other_reach": "{title}: one of the check-ups looked for less",
    "changed_verdict": "with {before} confidence, then with {after}",
    "changed_probes": "{count} probes: {dtypes:,list}; {variants:,list}",
    "changed_speed": "{ratio:figure} times as fast ({interval:range})",
}
