"""What is predicted of operators on MPS from PyTorch's declarations, and what its own tests expect to fail."""

from mpsdoctor.texts.en.common import FALLBACK_ON

PHRASES = {
    # the prediction of a whole step
    "prediction": "MPS with torch {version}, predicted from PyTorch's declarations; nothing was run\n"
    "{note}{rest}{unseen}",
    "prediction_note": "{note}\n",
    "prediction_known": "{answer}\n{groups}\n{count} of {total} operators have what they need. Only running tells"
    " whether they compute right.\n",
    "answer_runs": "every operator has what it needs",
    "answer_fallback": f"runs with {FALLBACK_ON} only",
    "answer_stops": "does not run",
    "answer_unknown": "nothing is known against it, but not every operator is known",
    "prediction_group": "\n{title} ({count})\n{operators}",
    "title_in_the_way": "In the way",
    "title_on_the_cpu": "On the CPU",
    "title_not_known": "Not known",
    "prediction_operator": "  {sentence}\n{called}{failures}",
    "prediction_called": "    first called at {place}{made}\n",
    "prediction_made": ", module made at {made_at}",
    "prediction_failure": "    {failure}\n",
    # of one operator
    "predicted": "{op}{parts}: {says}",
    "predicted_needs": " needs {needs:,list}",
    "predicted_says": "{verdict}{fallback}{more}",
    "predicted_more": "; and {more_count:,} more calls for the same reason",
    "mps_composite": "made of operators that MPS has",
    "mps_always_on_cpu": "always runs on the CPU, whatever the fallback is set to",
    "mps_has": "MPS has it",
    "mps_never_had": "MPS has it in no torch up to {last}",
    "mps_since": "MPS has it since torch {since}",
    "mps_since_you_have": "MPS has it since torch {since}, you have {have}",
    "fallback_helps": f"; with {FALLBACK_ON} it runs on the CPU",
    "fallback_does_not_help": "; the fallback does not help",
    "dtype_never": "MPS has no {dtype}",
    "dtype_since": "MPS has {dtype} since torch {since}",
    "sizes_indivisible": "on MPS the sizes in must be multiples of the sizes out, or the other way round",
    "devices_meet": "meets a tensor of the CPU; make it with device=, or move it",
    "devices_meet_at": "line {line} meets a tensor of the CPU made in line {made}; make it with device=, or move it",
    "devices_meet_from": "meets a tensor of the CPU made in {file}:{made}; make it with device=, or move it",
    "devices_meet_site": "meets a tensor of the CPU made at {made}",
    # what the run on the CPU did not see
    "unseen": "\nNot seen:\n{lines}\n",
    "unseen_line": "  {line}",
    "asks_for_device": "{place} asks for the device: the other branch was not seen",
    "not_seen": "{op} was not looked into: {reason}",
    "sparse_unknown": "kernels for sparse tensors are not in the history",
    "operator_foreign": "not one of torch's own operators",
    "operator_absent": "torch {version} has no such operator",
    # what is not known of a torch version
    "version_unknown": "operators are known for torch {first} to {last}, not for {version}",
    "version_outside": "torch {version} is none that the history knows ({first} to {last})",
    "version_newer": "torch {version} is newer than the history: what its yaml does not declare is taken as in"
    " {reference}",
    "nothing_known": "nothing is known of torch {version}",
    # what PyTorch's own tests expect
    "expected": "PyTorch's own tests: {opinfo}{what} {expected}{where}{dtypes}",
    "expected_gradient": " (its gradient)",
    "expected_sparse": " (sparse)",
    "expected_unimplemented": "is not implemented",
    "expected_unsupported": "is not supported",
    "expected_undefined": "has results that nothing defines, or random ones, so that devices may differ",
    "expected_fails": "fails",
    "expected_skipped": "is not tested",
    "expected_on_mps": " on MPS",
    "expected_before_macos": " on macOS before {version}",
    "expected_after_macos": " on macOS after {version}",
    "expected_on_macos": " on macOS {version}",
    "expected_with": " with {dtypes:,list}",
    "expected_with_some": " with some dtypes",
}
