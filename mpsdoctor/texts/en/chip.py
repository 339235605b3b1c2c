"""1xx: the chip and the operating system."""

from mpsdoctor.texts import Part, Text

TEXTS = {
    "MPS101": Text(
        "This Python is an Intel build translated by Rosetta",
        "The chip is {chip}, the interpreter is {arch}. Every instruction is translated, torch for x86_64 macOS ended"
        " with 2.2, and what is measured here says nothing about this Mac. It matters on the CPU as much as on MPS.",
        "{arm64}",
        links=("https://github.com/pytorch/pytorch/issues/114602",),
        parts={"unnamed_chip": "Apple silicon"},
        seen="The Mac has an Apple chip, but the Python that runs is an x86_64 program. macOS translates each of its"
        " instructions with Rosetta. Such a Python comes from a Homebrew in /usr/local, from an Intel Miniconda, or"
        " from a terminal that itself is opened with Rosetta.",
        means="PyTorch sees an Intel Mac. It has no MPS there, the newest version that can be installed is 2.2, and the"
        " CPU runs at a fraction of its speed, without the matrix units of the chip.",
        do="Install an arm64 Python and make the environment anew with it. `python3 -c 'import platform;"
        " print(platform.machine())'` prints arm64 when it is right.",
        example={"chip": "Apple M1", "arch": "x86_64", "arm64": Part("arm64_python")},
    ),
    "MPS102": Text(
        "macOS runs in a virtual machine",
        "torch may say that MPS is available, and then fail at the first allocation or, on newer images, compute wrong"
        " numbers. Only results that were compared with the CPU's can be trusted. {ignore}",
        "Train and test on the CPU here, and test MPS on a physical Mac.",
        links=(
            "https://github.com/actions/runner-images/issues/9918",
            "https://github.com/pytorch/pytorch/issues/188438",
        ),
        seen="The system reports a hypervisor: this macOS is a guest, as those of CI services are.",
        means="Apple's virtual GPU lacks what Metal has on a Mac. On some images every allocation on MPS fails though"
        " torch reports the device, on others operators give wrong numbers.",
        do="Run tests on the CPU there, and hide MPS from them. What concerns MPS needs a physical Mac.",
        example={"ignore": Part("ignore_on_cpu")},
    ),
    "MPS103": Text(
        "This is an Intel Mac",
        "torch 2.2 is the last release with packages for it. MPS on its graphics card works in those old releases"
        " alone, and nothing found there is fixed any more. The CPU trains, with that torch.",
        "Stay with torch 2.2 here, or train on another machine.{note}",
        links=("https://github.com/pytorch/pytorch/issues/114602",),
        seen="The processor of this Mac is from Intel.",
        means="PyTorch stopped making packages for Intel Macs after 2.2. That version still trains on the CPU. On some"
        " of these Macs it offers MPS on an AMD graphics card, with errors that nobody mends.",
        do="Install torch 2.2 and NumPy 1.26, which belong together, or train elsewhere.",
        example={"note": Part("pip_works")},
    ),
    "MPS104": Text(
        "On macOS {os_version} {limit}",
        "A newer torch installs and imports, but says that MPS is not available. Later releases also fixed operators"
        " whose results were wrong. {ignore}",
        "Update macOS, in System Settings under General, if this Mac can.",
        ("softwareupdate --list",),
        parts={
            "up_to": "MPS works with torch {newest_torch} and older only",
            "none": "no torch can use MPS",
        },
        seen="Each torch needs a certain macOS for MPS, and this macOS is older than what the newest torch needs.",
        means="With a torch beyond that limit `torch.backends.mps.is_available()` is False, without an error, and"
        " training goes on on the CPU.",
        do="Update macOS, or stay with the torch named above.",
        example={
            "os_version": "13.6",
            "limit": Part("up_to"),
            "newest_torch": "2.8",
            "ignore": Part("ignore_on_cpu"),
        },
    ),
    "MPS105": Text(
        "Low power mode is on",
        "Processor and GPU are held at lower clocks. Training is slower on every device, and the device that wins now"
        " may not be the one that wins without it. This matters on the CPU too.",
        "Turn it off, then measure again.",
        ("sudo pmset -a lowpowermode 0",),
        seen="macOS is in low power mode, by hand or because the battery is low.",
        means="Clocks are lower on the CPU and on the GPU, not by the same factor. Times measured now are too long, and"
        " a comparison of devices may come out the other way round.",
        do="Turn it off in System Settings under Battery, plug the machine in, and measure again.",
    ),
    "MPS106": Text(
        "The thermal state is {thermal_state}",
        "macOS lowers the clocks to cool down. Training is slower on every device, and timings taken now are too long"
        " by an amount that changes from minute to minute. This matters on the CPU too.",
        "Let the machine cool down, then measure again.",
        seen="macOS reports that the machine is hot: fair, serious or critical in place of nominal.",
        means="To cool down it lowers clocks, more on a Mac without a fan. A training that runs for hours reaches that"
        " state by itself; a measurement in it does not compare with one made cold.",
        do="Wait some minutes with nothing running, give the machine air, and measure again.",
        example={"thermal_state": "serious"},
    ),
    "MPS107": Text(
        "The chip's name could not be read",
        "A profile made here cannot be told from one made on another Mac, and published figures for your chip cannot be"
        " set beside yours. Measurements are not affected.",
        "See what the system tells.",
        ("sysctl machdep.cpu.brand_string hw.model",),
        seen="Neither sysctl nor system_profiler told the chip of this Mac.",
        means="Measurements are right all the same. A profile is tied to a chip by its name, so one that was copied"
        " from another Mac is not noticed.",
        do="Run the command and see what is missing; a sandbox or a shortened PATH may be in the way.",
    ),
}
