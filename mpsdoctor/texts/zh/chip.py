"""1xx: the chip and the operating system."""

from mpsdoctor.texts import Text

TEXTS = {
    "MPS101": Text(
        "这个 Python 是 Intel 版，经由 Rosetta 转译运行",
        "芯片是 {chip}，解释器却是 {arch}。每条指令都要转译；macOS x86_64 版的 torch 到 2.2 为止；在这里测得的数据说明不了"
        "这台 Mac 的性能。对 CPU 和 MPS 都有影响。",
        "{arm64}",
        parts={"unnamed_chip": "Apple 芯片"},
        seen="这台 Mac 用的是 Apple 芯片，但正在运行的 Python 是 x86_64 程序，macOS 用 Rosetta 转译它的每条指令。这样的 Python "
        "来自 /usr/local 下的 Homebrew、Intel 版 Miniconda，或本身就以 Rosetta 方式打开的终端。",
        means="PyTorch 看到的是一台 Intel Mac：没有 MPS，能装的最新版本是 2.2，CPU 也只能跑出一小部分性能，用不上芯片的矩阵单元。",
        do="安装 arm64 版 Python，再用它重建环境。`python3 -c 'import platform; print(platform.machine())'` 输出 arm64 就对了。",
    ),
    "MPS102": Text(
        "macOS 运行在虚拟机里",
        "torch 可能报告 MPS 可用，却在第一次分配内存时失败；在较新的镜像上，还可能算出错误的数值。只有与 CPU 对比过的结果才可信。"
        "{ignore}",
        "在这里用 CPU 训练和测试；MPS 请在实体 Mac 上测试。",
        seen="系统报告有虚拟机监控程序：这个 macOS 是客户机，CI 服务的机器就是这样。",
        means="Apple 的虚拟 GPU 缺少实体 Mac 上 Metal 具备的功能。有的镜像上 torch 报告有 MPS，但每次分配都失败；有的镜像上算子会算错。",
        do="在那里用 CPU 跑测试，并让测试看不到 MPS。与 MPS 有关的测试要用实体 Mac。",
    ),
    "MPS103": Text(
        "这是一台 Intel Mac",
        "torch 2.2 是最后一个为它提供安装包的版本。只有那些旧版本能在它的显卡上用 MPS，而且其中的问题不会再修复。用那个 torch，"
        "CPU 可以正常训练。",
        "在这里继续用 torch 2.2，或者换一台机器训练。{note}",
        seen="这台 Mac 的处理器来自 Intel。",
        means="PyTorch 从 2.2 之后不再为 Intel Mac 提供安装包。2.2 仍可以用 CPU 训练；在部分机型上它还会提供基于 AMD 显卡的 MPS，"
        "但其中的错误没有人修。",
        do="安装互相匹配的 torch 2.2 和 NumPy 1.26，或者换一台机器训练。",
    ),
    "MPS104": Text(
        "在 macOS {os_version} 上{limit}",
        "更新的 torch 能安装也能导入，但会报告 MPS 不可用。后续的 macOS 还修复了一些算错的算子。{ignore}",
        "如果这台 Mac 支持，请在“系统设置 › 通用”里升级 macOS。",
        parts={
            "up_to": "，只有 torch {newest_torch} 及更早的版本能用 MPS",
            "none": "，没有 torch 能用 MPS",
        },
        seen="每个 torch 版本的 MPS 都要求一定版本的 macOS，而这个 macOS 低于最新 torch 的要求。",
        means="torch 超出这个范围时，`torch.backends.mps.is_available()` 返回 False，不报错，训练就在 CPU 上进行。",
        do="升级 macOS，或者继续用上面提到的 torch。",
    ),
    "MPS105": Text(
        "开着低电量模式",
        "CPU 和 GPU 都被限制在较低的频率。所有设备上的训练都会变慢，而且现在更快的设备，关掉之后未必还是更快的那个。对 CPU 也有影响。",
        "关掉它，再重新测量。",
        seen="macOS 处于低电量模式，可能是手动打开的，也可能是因为电量低。",
        means="CPU 和 GPU 都降了频，但幅度不同。现在测得的时间偏长，设备之间的对比结果也可能颠倒。",
        do="在“系统设置 › 电池”里关掉它，接上电源，再重新测量。",
    ),
    "MPS106": Text(
        "热状态为 {thermal_state}",
        "macOS 会降频散热。所有设备上的训练都会变慢；现在测得的时间偏长，而且偏差每分钟都在变。对 CPU 也有影响。",
        "等机器降温后再测量。",
        seen="macOS 报告机器发热：状态是 fair、serious 或 critical，而不是 nominal。",
        means="为了降温它会降低频率，没有风扇的 Mac 降得更多。连续训练几个小时自然会进入这种状态；此时的测量结果不能与机器凉的时候相比。",
        do="停掉所有任务等几分钟，让机器通风，再重新测量。",
    ),
    "MPS107": Text(
        "读不到芯片名称",
        "在这里生成的配置文件无法与其他 Mac 上的区分开，也无法与同款芯片公布的数据对照。测量结果本身不受影响。",
        "看看系统怎么说。",
        seen="sysctl 和 system_profiler 都没有给出这台 Mac 的芯片。",
        means="测量结果依然正确。配置文件靠芯片名称与机器绑定，所以从另一台 Mac 拷来的配置文件不会被发现。",
        do="运行这条命令，看看缺了什么；可能是沙盒或被删减的 PATH 造成的。",
    ),
}
