"""Which device a training script is given: rule by rule, and who outranks whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.trainer import Trainer
from mpsdoctor.verdict import judge_checkup

MPS = {"device": "mps", "confidence": "high", "reason": "3.4 times faster"}
CUDA = {"device": "cuda", "confidence": "high", "reason": "9 times faster"}
Mac = Callable[[str], dict[str, str]]


def test_use_gpu_false_outranks_everything(tmp_path: Path) -> None:
    """A script that wants no GPU gets the CPU, whatever else asks for one."""
    trainer = Trainer(tmp_path, "cuda=1 mps=1").learns(recommended=MPS, force_mps=True)
    answer = trainer.asks({"use_gpu": False}, MPSDOCTOR_FORCE_MPS="1", MPSDOCTOR_DEVICE="cuda")
    assert (answer["device"], answer["source"]) == ("cpu", "argument")


def test_force_mps_is_asked_in_order(tmp_path: Path) -> None:
    """MPS is forced by the argument, then by the environment, then by the profile; 0 vetoes the last alone."""
    trainer = Trainer(tmp_path, "cuda=1 mps=1").learns(recommended=CUDA, force_mps=True)
    asked = [
        trainer.asks({"force_mps": True}, MPSDOCTOR_FORCE_MPS="0"),
        trainer.asks(MPSDOCTOR_FORCE_MPS="1"),
        trainer.asks(),
        trainer.asks(MPSDOCTOR_FORCE_MPS="0"),
    ]
    assert [(a["device"], a["source"]) for a in asked] == [
        ("mps", "argument"),
        ("mps", "environment"),
        ("mps", "profile"),
        ("cuda", "profile"),
    ]


def test_force_mps_without_mps_goes_on(tmp_path: Path) -> None:
    """Forcing MPS where there is none warns, and the choice goes on with the next rule."""
    answer = Trainer(tmp_path, "cuda=1").asks({"force_mps": True})
    assert (answer["device"], answer["source"]) == ("cuda", "policy")
    assert answer["warnings"] == ["force_mps=True asks for MPS, but mps is not available here"]


def test_other_spellings_of_force_mps_warn(tmp_path: Path) -> None:
    """MPSDOCTOR_FORCE_MPS knows 1 and 0; anything else is named and not used."""
    answer = Trainer(tmp_path, "mps=1").learns().asks(MPSDOCTOR_FORCE_MPS="yes\x1b[2J")
    assert answer["device"] == "cpu"
    assert answer["warnings"] == ["MPSDOCTOR_FORCE_MPS=yes\\x1b[2J is neither 1 nor 0, so not used"]


def test_forced_mps_outranks_a_named_device_and_says_so(tmp_path: Path) -> None:
    """The rules stand in order: the profile's override comes before MPSDOCTOR_DEVICE, which is told so."""
    answer = Trainer(tmp_path, "mps=1").learns(force_mps=True).asks(MPSDOCTOR_DEVICE="cpu")
    assert answer["device"] == "mps"
    assert "MPSDOCTOR_DEVICE=cpu is outranked by force_mps in the profile" in answer["warnings"]


WRONG = [
    {"id": "aten::softmax", "device": "mps", "what": "wrong"},
    {"id": "aten::lstm", "device": "mps", "what": "crash"},
    {"id": "aten::sum", "device": "mps:0", "what": "wrong in float16"},
    {"id": "pytorch-1", "device": "mps"},
    {"id": "aten::add", "device": "cuda", "what": "nan"},
]
SLOW = {"mps": {"speedup": 0.525, "ci95": [0.4, 0.6]}}
TOLD = "softmax, lstm (crash), sum (wrong in float16)"


@pytest.mark.parametrize(
    ("arguments", "env", "wish"),
    [
        ({"force_mps": True}, {}, "force_mps=True"),
        ({}, {"MPSDOCTOR_FORCE_MPS": "1"}, "MPSDOCTOR_FORCE_MPS=1"),
        ({}, {}, "force_mps in the profile"),
    ],
)
def test_who_forces_mps_hears_what_was_measured(
    tmp_path: Path, arguments: dict[str, bool], env: dict[str, str], wish: str
) -> None:
    """Forced against the measurement, the sentence and one warning tell the factor and what was found wrong."""
    trainer = Trainer(tmp_path, "mps=1").learns(force_mps=not (arguments or env), speeds=SLOW, known_wrong=WRONG[:3])
    answer = trainer.asks(arguments, **env)
    assert answer["text"] == f"training on mps: {wish} asks for it, against the measurement: 0.53×, {TOLD} wrong"
    assert answer["warnings"] == [f"{wish} is against the measurement: 0.53×, {TOLD} wrong"]
    assert answer["hints"] == ["see whether your model is concerned: mpsdoctor ops --model train.py:build"]


def test_forcing_what_was_measured_needs_no_warning(tmp_path: Path) -> None:
    """Where mps is recommended, or has won the workload that is trained, forcing it goes against nothing."""
    won = {"cnn": {"medium": {"device": "mps", "speedup": 2.0}}}
    trainer = Trainer(tmp_path, "mps=1").learns(recommended=MPS)
    assert trainer.asks({"force_mps": True})["text"] == "training on mps: force_mps=True asks for it"
    trainer.learns(workloads=won, speeds=SLOW)
    assert trainer.asks({"force_mps": True, "workload": "cnn"})["warnings"] == []
    against = trainer.asks({"force_mps": True, "workload": "mlp"})["warnings"]
    assert against == ["force_mps=True is against the measurement: 0.53×"]


def test_an_open_race_is_no_factor(tmp_path: Path) -> None:
    """Where the interval leaves open which device is faster, no factor is told."""
    wide = {"mps": {"speedup": 4.3, "ci95": [0.39, 33.9]}}
    answer = Trainer(tmp_path, "mps=1").learns(speeds=wide).asks({"force_mps": True})
    assert answer["warnings"] == ["force_mps=True is against the measurement: not clearly faster"]


def test_a_profile_without_figures_still_speaks_against(tmp_path: Path) -> None:
    """A profile of an earlier version, which has no speeds by device, names what it recommends."""
    answer = Trainer(tmp_path, "mps=1").learns().asks({"force_mps": True})
    assert answer["warnings"] == ["force_mps=True is against the measurement: cpu is recommended"]


def test_what_is_wrong_on_the_device_is_told(tmp_path: Path) -> None:
    """Forced or not, a warning names the first three that were found wrong on the device, and counts the rest."""
    trainer = Trainer(tmp_path, "mps=1").learns(recommended=MPS, known_wrong=WRONG)
    answer = trainer.asks()
    assert answer["warnings"] == [f"found wrong on mps: {TOLD} and 1 more"]
    assert answer["known_wrong"] == ["aten::softmax", "aten::lstm", "aten::sum", "pytorch-1"]
    assert answer["hints"][-1] == "see whether your model is concerned: mpsdoctor ops --model train.py:build"
    assert trainer.asks({"use_gpu": False})["warnings"] == []


def test_forcing_until_torch_changes_ends_with_it(tmp_path: Path) -> None:
    """The override holds for the torch that it names, and is told once when it does no more; without a name, always."""
    trainer = Trainer(tmp_path, "mps=1").learns(force_mps=True, force_mps_torch="2.13.0")
    assert trainer.asks()["device"] == "mps"
    answer = trainer.learns(force_mps=True, force_mps_torch="2.12.1").asks()
    assert answer["device"] == "cpu"
    told = "force_mps in the profile held until torch changed (2.12.1 → 2.13.0), so it is not used"
    assert answer["warnings"] == [told]


def test_a_machine_that_nobody_measured_says_so_in_a_line(tmp_path: Path, mac: Mac) -> None:
    """The sentence says what to do; what others measured stays in the hints."""
    trainer = Trainer(tmp_path, "mps=1", mac("m1"))
    assert trainer.asks()["text"] == "training on cpu: not measured yet; run 'mpsdoctor' (1 min)"
    trainer.learns()
    trainer.path.write_text(trainer.path.read_text().replace('"2.13.0"', '"2.12.0"'))
    assert trainer.asks()["text"] == "training on cpu: the measurement is out of date; run 'mpsdoctor' (1 min)"


@pytest.mark.parametrize("name", ["cpu", "mps", "cuda", "cuda:1"])
def test_a_named_device_outranks_the_profile(tmp_path: Path, name: str) -> None:
    """MPSDOCTOR_DEVICE is used if that device is available, whatever was measured."""
    answer = Trainer(tmp_path, "cuda=2 mps=1").learns(recommended=CUDA).asks(MPSDOCTOR_DEVICE=name)
    assert (answer["device"], answer["source"], answer["warnings"]) == (name, "environment", [])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("cuda:7", "cannot be had: there is no cuda:7"),
        ("xpu", "cannot be had: xpu is not available here"),
        ("meta", "cannot be had: this torch offers no meta"),
        ("gpu", "cannot be had: gpu does not answer (RuntimeError: Expected one of"),
        ("GPU 0", "is not a device such as mps or cuda:0"),
        ("cuda:0\n", "is not a device such as mps or cuda:0"),
    ],
)
def test_a_named_device_that_cannot_be_had_warns(tmp_path: Path, name: str, why: str) -> None:
    """An invalid or unavailable MPSDOCTOR_DEVICE is a warning, and the profile decides."""
    answer = Trainer(tmp_path, "cuda=2").learns(recommended=CUDA).asks(MPSDOCTOR_DEVICE=name)
    assert (answer["device"], answer["source"]) == ("cuda", "profile")
    assert why in answer["warnings"][0]


def test_a_broken_back_end_is_a_reason(tmp_path: Path) -> None:
    """A back end that raises when asked is passed over; its message reaches the log without its escapes."""
    answer = Trainer(tmp_path, "cuda=broken xpu=1").asks(MPSDOCTOR_DEVICE="cuda")
    assert answer["device"] == "xpu"
    assert "cuda does not answer (RuntimeError: driver \\x1b[31mtoo old)" in answer["warnings"][0]


def test_a_profile_of_this_machine_decides(tmp_path: Path) -> None:
    """A valid profile gives its recommended device, with its reason, hints and unset variables."""
    trainer = Trainer(tmp_path, "cuda=1 mps=1")
    answer = trainer.learns(recommended=MPS, environment={"PYTORCH_ENABLE_MPS_FALLBACK": "1"}).asks()
    assert (answer["device"], answer["source"], answer["stale"]) == ("mps", "profile", [])
    assert answer["text"] == "training on mps (profile of 2026-01-01, high confidence): 3.4 times faster"
    assert answer["profile_path"] == str(trainer.path)
    assert answer["hints"] == [
        "batches above 96 belong on the GPU",
        "start with PYTORCH_ENABLE_MPS_FALLBACK=1, as 'mpsdoctor run -- …' does",
    ]


def test_the_winner_of_a_workload_is_preferred(tmp_path: Path) -> None:
    """A measured workload has its own winner, of its medium size; a tie or an unmeasured one is as recommended."""
    won, lost = {"device": "mps", "speedup": 2.125}, {"device": "cpu", "speedup": 0.5}
    workloads = {
        "cnn": {"small": lost, "medium": won},
        "mlp": {"medium": {"device": "tie"}},
        "mine": {"huge": won},
        "gone": {},
    }
    trainer = Trainer(tmp_path, "mps=1").learns(workloads=workloads)
    cnn, mlp, mine, gone, gan = (trainer.asks({"workload": w}) for w in ("cnn", "mlp", "mine", "gone", "gan"))
    assert (cnn["device"], mine["device"]) == ("mps", "mps")
    assert cnn["reason"] == "measured as the fastest for cnn (medium, 2.12 times the CPU's speed)"
    assert (mlp["device"], mlp["warnings"]) == ("cpu", [])
    assert mlp["reason"] == "no device is clearly faster for mlp; no accelerator was faster"
    assert gan["warnings"] == ["workload 'gan' was not measured (measured: cnn, gone, mine, mlp)"]
    assert (gan["device"], gone["device"]) == ("cpu", "cpu")


def test_a_batch_size_has_a_winner_of_its_own(tmp_path: Path) -> None:
    """At a batch size the measured batches decide, not the size; without them, or a workload, a warning says so."""
    ends = [(16, 0.5, [0.4, 0.6]), (64, 2.0, [1.9, 2.1])]
    swept = [{"batch": b, "device": "mps", "speedup": s, "ci95": ci} for b, s, ci in ends]
    lost = {"medium": {"device": "cpu", "speedup": 0.5, "ci95": [0.4, 0.6]}}
    trainer = Trainer(tmp_path, "mps=1").learns(workloads={"cnn": lost, "mlp": lost}, batches={"cnn": swept})
    asked = [("cnn", 60), ("cnn", 16), ("cnn", 99), ("mlp", 60), (None, 60)]
    large, small, beyond, other, none = (trainer.asks({"workload": w, "batch_size": b}) for w, b in asked)
    assert [(a["device"], a["source"]) for a in (large, small, beyond)] == [
        ("mps", "profile"),
        ("cpu", "profile"),
        ("mps", "profile"),
    ]
    assert large["reason"].startswith("at batch 60, between the measured 16 and 64, mps trains cnn at 1.88 times")
    assert (large["warnings"], small["warnings"]) == ([], [])
    assert "were measured on mps (16 to 64)" in beyond["warnings"][0]
    assert other["reason"] == "measured as the fastest for mlp (medium)"
    assert other["warnings"] == ["batch_size=60 is not used: no batches of 'mlp' were measured"]
    assert none["warnings"] == ["batch_size=60 is not used, for it goes with a workload and none was named"]


def test_a_measured_device_that_is_gone_warns(tmp_path: Path) -> None:
    """A profile for a device that is not available now is a warning, and the policy decides."""
    answer = Trainer(tmp_path, "xpu=1").learns(recommended=MPS).asks()
    assert (answer["device"], answer["source"]) == ("xpu", "policy")
    assert "the profile's choice is mps, but mps is not available here" in answer["warnings"][0]


def test_a_stale_profile_does_not_decide(tmp_path: Path) -> None:
    """A profile made with another torch says what changed and leaves the choice to the policy."""
    trainer = Trainer(tmp_path, "cuda=1 mps=1").learns(recommended=MPS)
    trainer.path.write_text(trainer.path.read_text().replace('"2.13.0"', '"2.12.0"'))
    answer = trainer.asks()
    assert (answer["device"], answer["source"]) == ("cuda", "policy")
    assert answer["stale"] == ["torch 2.12.0 → 2.13.0"]
    assert "torch 2.12.0 → 2.13.0" in answer["warnings"][0]


@pytest.mark.parametrize(
    ("offers", "device"), [("cuda=1 mps=1", "cuda"), ("mps=1", "mps"), ("npu=1", "npu"), ("xpu=1", "xpu"), ("", "cpu")]
)
def test_policy_elsewhere_takes_what_torch_offers(tmp_path: Path, offers: str, device: str) -> None:
    """Without a profile: CUDA, else MPS, else any accelerator, else the CPU; no profile is no warning."""
    answer = Trainer(tmp_path, offers).asks()
    assert (answer["device"], answer["source"], answer["warnings"]) == (device, "policy", [])


@pytest.mark.parametrize(
    ("machine", "others"),
    [
        ("m1", "on an M1; MPS ran them at these multiples of the CPU's speed: sum of a million numbers 0.16, "),
        ("m2-pro", "on an M2 Pro; MPS"),
        ("m4", "on 11 Apple chips, no M4 among them; MPS ran them at these multiples"),
        ("rosetta", None),
        ("virtual", None),
    ],
)
def test_policy_on_apple_silicon_is_the_cpu(tmp_path: Path, mac: Mac, machine: str, others: str | None) -> None:
    """On Apple silicon without a profile it is the CPU although MPS is there, with the hint to measure.

    What others measured on such a chip stands beside it; where the chip's name is made up, nothing does.
    """
    answer = Trainer(tmp_path, "mps=1", mac(machine)).asks()
    assert (answer["device"], answer["source"]) == ("cpu", "policy")
    assert answer["hints"][0] == "run 'mpsdoctor' to measure this machine"
    assert len(answer["hints"]) == (1 if others is None else 2)
    assert (others or "") in answer["hints"][-1]


def test_what_others_measured_is_of_no_use_without_mps(tmp_path: Path, mac: Mac) -> None:
    """Where MPS cannot be used its speed elsewhere is not told."""
    assert Trainer(tmp_path, "", mac("m1")).asks()["hints"] == ["run 'mpsdoctor' to measure this machine"]


def test_policy_on_an_intel_mac_is_the_cpu(tmp_path: Path, mac: Mac) -> None:
    """MPS on its AMD card is as unmeasured, and a check-up that timed nothing says the same."""
    answer = Trainer(tmp_path, "mps=1", mac("intel")).asks()
    assert (answer["device"], answer["source"]) == ("cpu", "policy")
    assert answer["hints"] == ["run 'mpsdoctor' to measure this machine"]
    devices = [{"device": name, "usable": True, "name": None, "reason": None} for name in ("cpu", "mps")]
    verdict = judge_checkup({"build": {"devices": devices}, "chip": {"os": "Darwin", "arch": "x86_64"}})
    assert verdict
    assert verdict.device == answer["device"]


def test_a_profile_decides_on_a_mac(tmp_path: Path, mac: Mac) -> None:
    """On Apple silicon a profile made there gives MPS, and the same one is stale on another Mac."""
    trainer = Trainer(tmp_path, "mps=1", mac("m1")).learns(recommended=MPS)
    assert trainer.asks()["device"] == "mps"
    moved = trainer.asks(MPSDOCTOR_TEST_MACHINE=mac("m4")["MPSDOCTOR_TEST_MACHINE"])
    assert moved["device"] == "cpu"
    assert "chip Apple M1 → Apple M4" in moved["stale"]


@pytest.mark.parametrize("source", ["policy", "profile", "environment"])
def test_torchrun_numbers_cuda(tmp_path: Path, source: str) -> None:
    """Under torchrun a CUDA device carries LOCAL_RANK, wherever the choice of CUDA came from."""
    trainer = Trainer(tmp_path, "cuda=4")
    if source == "profile":
        trainer.learns(recommended={**CUDA, "device": "cuda:0"})
    answer = trainer.asks(LOCAL_RANK="3", MPSDOCTOR_DEVICE="cuda" if source == "environment" else "")
    assert (answer["device"], answer["source"]) == ("cuda:3", source)


@pytest.mark.parametrize(("rank", "why"), [("4", "there is no cuda:4"), ("-1", "not a device index"), ("²", "index")])
def test_a_rank_without_a_device_warns(tmp_path: Path, rank: str, why: str) -> None:
    """A LOCAL_RANK that is no device's index is named in a warning, and CUDA stays without an index."""
    answer = Trainer(tmp_path, "cuda=4").asks(LOCAL_RANK=rank)
    assert answer["device"] == "cuda"
    assert why in answer["warnings"][0]


def test_a_rank_means_nothing_to_the_cpu(tmp_path: Path) -> None:
    """LOCAL_RANK is ignored where the device is not CUDA."""
    answer = Trainer(tmp_path, "").asks(LOCAL_RANK="9")
    assert (answer["device"], answer["warnings"]) == ("cpu", [])
