mpsdoctor 0.1.0 · standard check-up · 38.7 s

use cpu · high confidence
  - the CPU is the only usable device
  - mlp, lstm, transformer, cnn train on it

Machine  AMD EPYC · 2 cores · 24 GiB · Linux debian 12 x86_64 · virtual machine
Python   3.11.7 (x86_64) /work/main/.venv/bin/python3
Torch    2.13.0+cpu · MPS not built in · CUDA not available
Devices  cpu · usable

✓ pass   chip         Chip and operating system
✓ pass   build        The torch build and its devices
✓ pass   environment  Environment variables
✓ pass   operators    Operators against the CPU
         1,803 of 13,561 probes on cpu: 128 operators, 1,505 in other layouts
✓ pass   memory       Memory and swap
! warn   training     Training steps timed on each device

! MPS521 warning: conditions that spoil the timing
    other programs took 92 % of the processor just before the run; other
    programs took 84 % of the processor between workloads. Absolute times are
    doubtful; ratios less so, for the devices took turns. Quiet was waited for,
    8 s long, in vain. No setting, hint or batch size of this run goes into the
    profile.
    → Run it again on a quiet machine, on mains power.

i MPS208 info: this is Linux, so there is no MPS
i MPS504 info: the CPU is the only device here; 8 workloads can be trained on it
i MPS522 info: step times on cpu vary by more than 15%
i MPS523 info: cpu needs 2.7 s for the first steps of 2 workloads
i MPS524 info: step times on cpu had not settled in 3 workloads
i MPS509 info: no number of CPU threads is clearly faster than torch's own
  (doubtful)
i MPS528 info: some advice was not measured

Training     size    device    a step  95 % interval    against the CPU
mlp          small   cpu      33.3 ms  not settled
lstm         small   cpu      1.78 ms  1.16 to 3.03 ms
transformer  small   cpu      4.23 ms  4.21 to 4.31 ms
cnn          small   cpu      7.52 ms  not settled
mlp          medium  cpu      19.6 ms  18.5 to 20.5 ms
lstm         medium  cpu       408 ms  not settled
transformer  medium  cpu      36.0 ms  not settled
cnn          medium  cpu      37.5 ms  35.1 to 39.6 ms

Profile written to ~/.config/mpsdoctor/profile.json
Trainers read it:  device, info = mpsdoctor.get_optimal_device()
