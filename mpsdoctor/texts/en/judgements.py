"""What a call of an operator came to: the worker names the sentences, of numbers that differ and of calls left out."""

from mpsdoctor.texts import Part

COUNT = "{count} of {total} elements"

PHRASES = {
    "elements_differ": COUNT + " differ; largest error {largest:.3g} absolute, {relative:.3g} relative; worst at"
    " {place}: {actual:.6g}, reference {expected:.6g}",
    "exact_elements_differ": COUNT + " differ, first at {place}: {actual:g}, reference {expected:g}",
    "elements_not_finite": COUNT + " not finite, first at {place}",
    "element_not_finite": "{actual} at {place} where the reference has {expected}",
    "other_shape": "shape {actual}, reference {expected}",
    "other_shapes": "shapes {actual}, reference {expected}",
    "other_dtype": "dtype {actual}, reference {expected}",
    "other_number_of_results": "{actual} results, reference {expected}",
    "result_of_several": "result {number} of {results}: {what}",
    "from_run_to_run": "{what}; differs from run to run",
    "random_not_finite": "{count} random numbers are not finite",
    "random_too_small": "smallest random number {smallest:.6g}, must not be below {bound:g}",
    "random_too_large": "largest random number {largest:.6g}, must not be above {bound:g}",
    "random_mean": "mean of random numbers {mean:.6g}, must be near {expected:g}",
    "random_deviation": "standard deviation of random numbers {deviation:.6g}, must be near {expected:g}",
    "same_draws": "two draws are the same",
    # not judged
    "no_reference": "no reference on the CPU: {error}",
    "asks_for_float64": "the sample asks for float64, which {device} does not have",
    "no_operator_of_torch": "{op} is not an operator of torch itself",
    "given_up_on_crash": "not tried: {count} calls of {op} killed the process before",
    "given_up_on_timeout": "not tried: {count} calls of {op} did not end before",
    "helped_by": "on the CPU with {setting}; without: {what}",
}
# For the examples of findings.
DIFFERING = Part(
    "elements_differ",
    {
        "count": 3,
        "total": 60,
        "largest": 0.4,
        "relative": 0.8,
        "place": [1, 2],
        "actual": 0.9,
        "expected": 0.5,
    },
)
