"""Why something of the training check was left out, failed or was stopped, and what spoiled its figures."""

FROM_TO = "from {first} to {last}"
ALONE = "measured, which is {first} alone"

PHRASES = {
    # left out
    "left_out": "left out, {reason}",
    "no_race": "the {baseline} failed, so there is nothing to compare with",
    "budget_spent": "the {seconds:.0f} s of this budget went to more telling workloads",
    "compiling_too_long": "compiling for it takes about {expected:.0f} s or more, and {spent:.0f} of the"
    " {allowed:.0f} s that this budget has for compiling went to others",
    "steps_too_slow": "{steps} steps on each device take {needed:rough} s or more, {left:rough} s were left",
    "steps_too_long": "{steps} steps on each device take {needed:rough} s, {left:rough} s were left",
    "needs_seconds": "needs about {needed:rough} s, {left:rough} s were left",
    "larger_budget": "belongs to the {budget} budget",
    "no_other_threads": "there is no other number of threads to try",
    "not_timed_on": "{family} was not timed on {devices:and}",
    "not_compared": "it was not compared",
    "batches_not_measured": "{batches}",
    "batch_not_measured": "batch {batch}: {reason}",
    "crossover_known": "the crossover and what lies around it are measured",
    # failed
    "given_up_in_training": "{device} was given up after a {end} in training",
    "given_up": "{device} was given up after a {end}",
    "end_crash": "crash",
    "end_timeout": "timeout",
    "worker_did_not_start": "the worker of {device} did not start: {cause}",
    "worker_died": "the worker of {device} died while it was compared with",
    "failed_after_step": "after step {step}, in {function}: {cause}",
    "cancelled": "cancelled",
    # how a process ended, and its last words
    "ended_so": "{ending}{words}",
    "no_answer_within": "no answer within {seconds:g} s",
    "exit_status": "exit status {status}",
    "signal_name": "{name}",
    "signal_number": "signal {number}",
    # wrong numbers
    "loss_not_finite": "loss {loss} at step {step}",
    "loss_not_finite_between": "loss {loss} between steps {since} and {step}",
    "loss_not_finite_against": "loss {loss} at step {step}, {wanted:.4g} {against}",
    "loss_apart": "loss {loss:.5g} at step {step}, {wanted:.5g} {against}, ± {allowed:rough} allowed",
    "gradient_not_finite": "gradient of {parameter} is not finite at step 1",
    "gradient_apart": "gradient of {parameter} at step 1 is {apart:rough} times its length away from that {against}",
    "against_cpu": "on the CPU",
    "against_usual": "in float32 on {device}, trained as usual",
    # what a race came to
    "blocks_of_steps": "{count} blocks of {steps}",
    "after_pairs": "{reason} after {count} pairs",
    "within_band": "within 5 % of each other",
    "clear_of_band": "interval clear of the 5 % band",
    "interval_decides": "budget used up; its 95 % interval decides",
    "too_close": "budget used up, too close to call",
    "too_few_blocks": "budget used up, too few blocks to name a winner",
    # no crossover
    "several_crossovers": "no single crossover: the CPU wins at {slower} and not at {faster}",
    "device_faster": f"the device is faster with every batch {FROM_TO}",
    "device_faster_alone": f"the device is faster with every batch {ALONE}",
    "cpu_faster": f"the CPU is faster with every batch {FROM_TO}",
    "cpu_faster_alone": f"the CPU is faster with every batch {ALONE}",
    "neither_faster": f"neither is clearly faster with any batch {FROM_TO}",
    "neither_faster_alone": f"neither is clearly faster with any batch {ALONE}",
    "cpu_never_faster": f"the CPU is clearly faster with no batch {FROM_TO}",
    "cpu_never_faster_alone": f"the CPU is clearly faster with no batch {ALONE}",
    "device_never_faster": f"the device is clearly faster with no batch {FROM_TO}",
    "device_never_faster_alone": f"the device is clearly faster with no batch {ALONE}",
    # disturbances
    "busy_before": "other programs took {percent:.0f} % of the processor just before the run",
    "busy_between": "other programs took {percent:.0f} % of the processor between workloads",
    "busy_after": "other programs took {percent:.0f} % of the processor just after the run",
    "swapped_in": "{bytes:MiB} were swapped in meanwhile",
    "swapped_out": "{bytes:MiB} were swapped out meanwhile",
    "pressure_before": "memory pressure was '{level}' before the run",
    "pressure_after": "memory pressure was '{level}' after the run",
    "heat_before": "the thermal state was '{level}' before the run",
    "heat_after": "the thermal state was '{level}' after the run",
    "low_power": "low power mode was on",
    "on_battery": "the machine ran on battery",
}
