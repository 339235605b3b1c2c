"""The words of `mpsdoctor race`: what goes on, what became of a run, and the answer."""

PHRASES = {
    # what goes on
    "race_device": "{device}",
    "race_loading": "starting on {devices:and}: {seconds:.0f} s, waiting for the first training step",
    "race_learning": "{device}: the first steps",
    "race_warming": "{device}: warming up until step times settle",
    "race_timing": "timing {devices:and}{figures}",
    "race_alone": "{device} did not get along with the others: once more, alone",
    "race_catching_up": "{device}: going on to the step at which another one failed",
    "race_again": "the script ended before it was clear who is faster: once more",
    "race_warning": (
        "the command is run once for each device, all at the same time and unchanged: whatever it writes, it writes as "
        "often, into the same places. Ctrl+C ends all and tells what is known by then."
    ),
    "race_logs": "what the scripts print goes to {folder}",
    # how a run ended
    "race_ended": "the script came to its end",
    "race_no_accelerator": "torch has no accelerator here, so there is nothing to race against the CPU",
    "race_hidden": "python {flags} lets nothing in: no start-up file can steer it. Leave {flags} out",
    "race_not_started": "{command} cannot be started: {why}",
    "race_without_torch": (
        "it ended without importing torch, or where it cannot be seen: python -I, -E and -S, and a program that clears "
        "PYTHONPATH, hide what they start"
    ),
    "race_without_steps": "it ended without a training step: no optimizer.step() and no backward() was called",
    "race_too_short": "it ended after {steps} training steps, which are too few to time",
    "race_late": "no training step within {seconds:.0f} s; --timeout waits longer",
    "race_idle": "no training step within {seconds:.0f} s, and it does nothing any more: it hangs, or waits",
    "race_no_end": "no training step came to its end within {seconds:.0f} s, after step {step}",
    "race_terminal": "it reads from a terminal, and in a race it has none: {words}",
    "race_died": "it ended with {end}: {words}",
    "race_died_silent": "it ended with {end} and without a word",
    "race_unusable": "it answered what cannot be understood: {why}",
    "race_unfit": "this torch cannot be watched: {why}",
    "race_not_followed": "its parameters were on another device",
    "race_interrupted": "interrupted before it was timed",
    "race_no_figures": "not timed, as there was nothing to compare with",
    # the line that does not follow
    "race_blame_line": (
        "its parameters were on {ran_on:and}: {file}:{line} decides that ({text}). With `from mpsdoctor import "
        "get_optimal_device` write: {write}"
    ),
    "race_blame_move": (
        "its parameters were on {ran_on:and}: {file}:{line} puts them there ({text}). With `from mpsdoctor import "
        "get_optimal_device` write: {write}"
    ),
    "race_blame_nothing": (
        "its parameters were on {ran_on:and}: nothing moves them to {device} before {file}:{line} ({text}). With `from "
        "mpsdoctor import get_optimal_device` write before it: {write}; model.to(device), and each batch too"
    ),
    "race_blame_library": "its parameters were on {ran_on:and}: {library} trains there until it is told: {write}",
    # whether both train alike
    "race_against": "on {device}",
    "race_alike": "trains alike: the losses of {steps} steps were compared, {apart:.1g} apart at most in the first ten",
    "race_not_alike": "does not train alike: {fault}",
    "race_not_comparable": "losses cannot be compared step by step: {why}{level}",
    "race_other_weights": "the runs start from other weights, as they are drawn on the device or from no fixed seed",
    "race_other_batches": "the runs read other data, or in another order",
    "race_draws": "random numbers are drawn on {device} itself (dropout, noise)",
    "race_level_same": "; their level is the same as far as can be told",
    "race_level_apart": "; their level differs too, so look at both logs",
    "race_no_losses": "no loss was seen, so nothing can be said of the numbers",
    # the answer
    "race_command": "race: {command}",
    "race_faster": "{device} trains {speedup:figure} times as fast as {baseline} ({ci95:range})",
    "race_slower": "{device} trains at {speedup:figure} times the speed of {baseline} ({ci95:range})",
    "race_tie": "a tie: {device} trains {speedup:figure} times as fast as {baseline} ({ci95:range}), {why}",
    "race_open": "not settled: {device} trains {speedup:figure} times as fast as {baseline} ({ci95:range}), {why}",
    "race_none": "no device was timed",
    "race_out": "{device} is out ({outcome}): {why}",
    "race_failed": "no answer for {device} ({outcome}): {why}",
    "race_apart": "they were timed one after the other, so the interval holds whatever changed in between",
    "race_apart_detail": "timed one after the other, not in turn",
    "race_row": "{device}: {step_ms:duration} a step ({low:duration} to {high:duration}), {rate:figure} steps/s",
    "race_epoch": ", an epoch of {batches:,} batches takes {time}",
    "race_seconds": "{seconds:.3g} s",
    "race_minutes": "{minutes:.1f} min",
    "race_hours": "{hours:.1f} h",
    "race_memory": ", {bytes:size} of memory at most",
    "race_optimizers": "; a step is {round} steps of {optimizers} optimizers",
    "race_aside": "set aside: {rows}",
    "race_aside_row": "{device} {count} × {what}, {seconds:.1f} s",
    "race_aside_validation": "validation",
    "race_aside_checkpoint": "checkpoint",
    "race_aside_epoch": "start of an epoch",
    "race_aside_pause": "pause",
    "race_disturbed": "disturbed: {why}",
    "race_several": "{device}: {count} more processes made steps, and were not timed",
    "race_not_settled": "{device} had not settled when timing began",
    "race_run": "train with: mpsdoctor run --device {device} -- {command}",
    "race_verdict": "use {device} · {confidence} confidence",
    # doubts
    "race_doubt_numbers": "whether both train alike is not known",
    "race_doubt_apart": "timed one after the other",
    "race_doubt_warm": "step times had not settled",
    "race_doubt_open": "the difference is not settled",
}
