"""2xx: the torch build and its devices."""

from mpsdoctor.texts import Text
from mpsdoctor.texts.zh import common

CPU_TRAINS = "用 CPU 训练不受影响。"

TEXTS = {
    "MPS201": Text(
        "没有安装 torch",
        "{executable} 里没有 torch 模块，用它无法训练。",
        "在这个环境里安装 torch。{note}",
        seen="被检查的 Python 里没有 torch 模块。",
        means="用这个 Python 无法训练，需要 torch 的检查项也无法运行。",
        do="在这个环境里安装 torch，或者用 --python 指定另一个环境的 Python。",
    ),
    "MPS202": Text(
        "装了 torch 但无法使用",
        "导入 torch 或查询其设备时失败：{error}",
        "在这个环境里重新安装 torch；脚本旁边若有名为 torch.py 的文件，也会把它挡住。{note}",
        parts={
            "cannot_be_imported_with": "设置了 {settings} 时，torch{release} 无法导入",
            "further_setting": " 和 {name}={value!r}",
            "fails_with_it": "导入失败：{told}\n{rule}去掉它就能导入，所以体检在没有它的情况下继续。",
            "whole_number": "torch 2.0 到 2.7 加载时把它当整数读，不是整数（true、false、空值）就直接中止；1 和 0 在所有版本上都有效。",
            "unset": "在 shell 中取消设置，并从设置它的配置或任务脚本里删掉。",
        },
        seen="torch 装了，但导入或查询设备时失败；有时只在设置了某个 PYTORCH_* 变量时才失败。",
        means="这个环境里的训练到 `import torch` 就会中断。原因可能是安装损坏、脚本旁有名为 torch.py 的文件，或某个变量：torch 2.0 到"
        " 2.7 在 PYTORCH_ENABLE_MPS_FALLBACK 不是整数时会中止。",
        do="如果指出了某个变量，就取消设置。否则找找有没有名为 torch.py 的文件，并重新安装 torch。",
    ),
    "MPS203": Text(
        "这个 torch 编译时没有带 MPS",
        "torch {torch} 编译时没有带 MPS；macOS arm64 的 wheel 包是带的。" + CPU_TRAINS,
        "在 arm64 版 Python 里从 PyPI 安装 torch。{note}",
        seen="Mac 是 Apple 芯片，Python 也是对应的版本，但 torch 报告自己编译时没有带 MPS。",
        means="训练只能在 CPU 上进行。PyPI 上 macOS arm64 的安装包带有 MPS，可见这个 torch 是别的构建。",
        do="在 arm64 版 Python 里从 PyPI 安装 torch。",
    ),
    "MPS204": Text(
        "Apple 芯片上装了 x86_64 版 Python",
        "这个 Python 是由 Rosetta 转译的 x86_64 程序。torch 看到的是 Intel 处理器：没有 MPS，CPU 也只能跑出一小部分性能。"
        + CPU_TRAINS,
        common.PHRASES["arm64_python"] + "用 file 命令可以看出一个 Python 是哪种架构。",
        seen="芯片是 Apple 的，但被检查的 Python 是 x86_64 程序，由 macOS 用 Rosetta 转译运行。",
        means="torch 看到的是 Intel 处理器：没有 MPS，能装的最新版本是 2.2，CPU 也只能跑出一小部分性能。",
        do="安装 arm64 版 Python，再用它重建环境。`file` 加上 Python 的路径，可以看出它是哪种架构。",
    ),
    "MPS205": Text(
        "macOS 低于 {needed}",
        "torch {torch} 的 MPS 需要 macOS {needed} 或更高版本，而这里是 macOS {macos}。" + CPU_TRAINS,
        "把 macOS 升级到 {needed} 或更高版本，或者安装支持当前系统的 torch。",
        seen="每个 torch 版本的 MPS 都要求一定版本的 macOS，而这个 macOS 低于已安装的 torch 的要求。",
        means="`torch.backends.mps.is_available()` 返回 False，训练在 CPU 上进行。torch 2.5 及以前的 MPS 需要 macOS 12.3，2.6 起需要 13，"
        "2.9 起需要 14，2.15 起需要 15。",
        do="升级 macOS，或者安装一个 MPS 支持当前系统的 torch。",
    ),
    "MPS206": Text(
        "带有 MPS，但不可用",
        "torch 编译时带了 MPS，macOS 版本也够，却没有报告设备。沙盒中的终端和某些虚拟机会隐藏 GPU（此时 torch 给出的理由“macOS 太旧”"
        "是错的）。" + CPU_TRAINS,
        "在“终端”（Terminal.app）里、不经过沙盒或虚拟机，再运行一次 mpsdoctor。",
        seen="torch 编译时带了 MPS，macOS 版本也没有问题，但 torch 没有报告 MPS 设备。",
        means="训练在 CPU 上进行。沙盒中的终端和某些虚拟机会隐藏 GPU；torch 却归咎于 macOS 太旧，这个说法是错的。",
        do="在“终端”（Terminal.app）里、不经过沙盒或虚拟机，再运行一次 mpsdoctor。如果这样能看到 MPS，训练也用同样的方式启动。",
    ),
    "MPS207": Text(
        "{device} 看似可用，实际不能用",
        "torch 提供了它，但分配、计算并比对 16 KB 数据时失败：{told}\n{cause}{dialog}在其他设备上训练不受影响。",
        "换一个设备训练；如果这个设备本该能用，请重启机器后再检查。",
        parts={
            "refused": "这里设置的某个变量，取值被 torch 拒绝；环境变量检查项会指出是哪一个。",
            "unset": "取消设置那个变量，再检查一次。",
            "virtual_mac": "这是一台虚拟 Mac，CI 服务的虚拟 Mac 有这个已知问题（pytorch#188438）。",
            "physical_mac": "在这里用 CPU 训练，MPS 请用实体 Mac。",
            "dialog": "macOS 可能会为此弹出“Python 意外退出”，关掉那个窗口即可。",
        },
        seen="torch 提供了这个设备，但在上面做的第一次小计算就失败、算错、使进程退出，或一直没有结束。",
        means="torch 提供某个设备，不等于它能用：这个设备上无法训练。虚拟 Mac 上的 MPS 有这个已知问题；某个变量的取值被 torch 拒绝时也会这样。",
        do="如果是变量的问题，就取消设置。否则换一个设备训练，或重启机器后再检查。",
    ),
    "MPS208": Text(
        "这里是 {os}，所以没有 MPS",
        "MPS 只存在于 Apple 芯片的 macOS 上；列出的设备就是这里的 torch 所提供的。",
        parts={"no_mac": "非 Mac 系统"},
        seen="操作系统不是 macOS。",
        means="MPS 只存在于 Apple 芯片的 macOS 上。这里的 torch 提供的其他设备会照常检查。",
        do="不需要做什么。与 MPS 有关的事要在 Apple 芯片的 Mac 上做。",
    ),
    "MPS209": Text(
        "无法检查这个解释器",
        "{error}",
        "用 --python 指定 Python 3.9 或更高版本。",
        seen="要检查的 Python 没有启动，或没有回答提问。",
        means="不知道它装了哪个 torch、有哪些设备。需要 torch 的检查项无法运行。",
        do="用 --python 指定 Python 3.9 或更高版本。",
    ),
    "MPS211": Text(
        "torch 是 CUDA 版，但找不到 CUDA 设备",
        "这个构建带有 CUDA {cuda}。没有 NVIDIA GPU 时，它用 CPU 训练。",
        seen="已安装的 torch 是 CUDA 版，但它没有找到 CUDA 设备。",
        means="没有 NVIDIA GPU 时，这个 torch 用 CPU 训练。",
        do="机器没有 NVIDIA GPU 的话，不需要做什么。如果有，那就是 torch 没有找到它。",
    ),
    "MPS212": Text(
        "这里的 torch 不提供 {missing:,list}",
        "要求的设备：{asked_for:,list}。torch 提供的设备：{offered:,list}。",
        seen="指名要求的某个设备，这里的 torch 不提供。",
        means="它不会被检查。如果要求的设备都不能用，就不会进行任何训练。",
        do="请指定 torch 提供的设备。",
    ),
    "MPS213": Text(
        "这台 Mac 是 Intel 机型",
        "在 Intel Mac 上 torch 用 CPU 训练；它的 macOS x86_64 wheel 包到 torch 2.2 为止。",
        "继续用 torch 2.2。{note}",
        seen="这台 Mac 的处理器来自 Intel，torch 报告没有 MPS。",
        means="训练在 CPU 上进行。torch 2.2 是最后一个为 Intel Mac 提供安装包的版本。",
        do="继续用 torch 2.2，或者换一台机器训练。",
    ),
}
