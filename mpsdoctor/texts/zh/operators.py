"""3xx: operators, from probes."""

from mpsdoctor.texts import Text
from mpsdoctor.texts.en.common import FALLBACK_ON

AVOID = (
    "如果你的模型用到它（那条命令会检查你自己的训练步），请避开它或改用 CPU 训练；没用到就可以忽略。{newer}{pip_note}"
)
LISTING = "{note}\n{lines}{rest}"
PARTS = {
    "one": "{of}{op} 算子",
    "gradient": "{of}{op} 的梯度",
    "several": "{of}{names:,list} 共 {count} 个算子",
    "of": "{dtypes:and} 的 ",
    "operator": "{op}：{dtypes:,list}；{variants:,list}；{directions:,list}：{first}{known}{others}",
    "known": "（{failure}）",
    "other": "\n另有 1 个算子原因相同：{others_names:,list}",
    "others": "\n另有 {others_count} 个算子原因相同：{others_names:,list}",
    "more": "\n另有 {more_count} 个算子",
    "quit": "macOS 可能会为它们逐个弹出“Python 意外退出”。这在意料之中：探测在独立的进程里进行，没有其他损失。",
    "untried": f"没有逐个试过 {FALLBACK_ON} 是否有用；它必须在导入 torch 之前设置。",
    "no_help": f"设置 {FALLBACK_ON} 在这里没有用。",
    "no_help_for": f"对 {{whole_names:,list}}，设置 {FALLBACK_ON} 没有用。",
    "halves": f"在 {{halves:and}} 下，设置 {FALLBACK_ON} 也没有变化：CPU 同样做不了。",
}

WRONG_MEANS = "同样的调用，设备返回的数值与 CPU 上 float64 的结果不同，超出了舍入误差所能解释的范围。不会报错：训练会带着错误的数值继续。"


def _outcome(title: str, detail: str, remedy: str, seen: str, means: str, do: str) -> Text:
    """The words of one kind of outcome, with the operators that had it below."""
    return Text(title, detail + LISTING, remedy, parts=PARTS, seen=seen, means=means, do=do)


NO_RECORD = "更新的 torch 也许已经修复，mpsdoctor 没有相关记录。"
WHAT_TO_DO = f"用 `mpsdoctor ops --model` 看看你的训练步是否用到它。用到的话，避开它、让它的输入变为 contiguous，或改用 CPU 训练。{NO_RECORD}"

TEXTS = {
    "MPS311": _outcome(
        "{subject}在 {device} 上的结果与 CPU 不同",
        WRONG_MEANS,
        AVOID,
        "每次探测都在设备上调用一个算子，再在 CPU 上用 float64 算一遍。两者的差异超出了该 dtype 的舍入误差。内存布局会一并列出：这类问题很多"
        "只在输入经过转置、切片或 expand 时出现。",
        "不会报错。用到这个算子的模型会在错误的数值上训练，loss 甚至可能照样下降。",
        f"{WHAT_TO_DO}`mpsdoctor ops --op NAME` 会列出它的每种布局和 dtype。",
    ),
    "MPS312": _outcome(
        "{subject}在 {device} 上算出了非有限值",
        "CPU 上是正常的数，设备返回的却是 inf 或 NaN。loss 一旦经过这里，就会变成 NaN。",
        AVOID,
        "在一次探测中，CPU 的结果是有限值，设备却给出了 NaN 或 inf。",
        "这样的值一旦进入 loss，下一步之后所有权重都会变成 NaN。",
        WHAT_TO_DO,
    ),
    "MPS313": _outcome(
        "{subject}在 {device} 上使进程崩溃",
        "进程在这次调用中退出。Python 代码捕获不了，训练会来不及保存 checkpoint 就中断。",
        AVOID,
        "探测进程在这次调用中异常退出，例如 Metal 的断言失败。",
        "try/except 没有用：训练走到这次调用就会当场中断。",
        f"避开这个算子，或改用 CPU 训练；在此之前勤存 checkpoint。{NO_RECORD}",
    ),
    "MPS314": _outcome(
        "{subject}在 {device} 上一直不结束",
        "这次调用没有按时返回，训练走到这里就会停住。",
        AVOID,
        "用小张量做的一次探测没有按时返回，而限时已经算上了首次调用的编译时间。",
        "训练会停在这次调用上，也不报错。",
        f"避开这个算子，或改用 CPU 训练。{NO_RECORD}",
    ),
    "MPS315": _outcome(
        "{subject}在 {device} 上报错",
        "这次调用在 CPU 上没有问题。用到它的训练会因为这个错误中断。",
        AVOID,
        "在 CPU 上没有问题的调用，在设备上报错。",
        "用到它的模型会停在这次调用上。",
        f"把这次调用的张量移到 CPU 上。{NO_RECORD}",
    ),
    "MPS321": _outcome(
        "{subject}在 {device} 上没有实现",
        "用到它的训练会以 NotImplementedError 中断。",
        "如果你的模型用到它（那条命令会检查你自己的训练步），请在调用时把这些张量移到 CPU；没用到就可以忽略。{newer}{pip_note}",
        "torch 在这个设备上没有该算子的实现，也不会由 CPU 代算。",
        "用到它的模型会以 NotImplementedError 中断。",
        "如果指出了已支持它的版本，就升级 torch。否则在调用时把张量移到 CPU，或用其他算子改写。",
    ),
    "MPS322": _outcome(
        "{subject}不在 {device} 上运行，而是回退到 CPU",
        f"设备上没有它的实现。设置 {FALLBACK_ON} 后，torch 每次调用都把张量拷到 CPU 再拷回来，要多花时间；不设置则抛出 NotImplementedError。"
        "这个变量在导入 torch 时读取，之后再设置不起作用。",
        "在启动导入 torch 的程序之前设置这个变量。",
        "这个算子在设备上没有实现。探测时开着回退，所以它跑了起来。",
        "设置了这个变量，训练可以进行，但每次调用都要等待设备并来回拷贝。不设置，调用会抛出 NotImplementedError。",
        f"在 shell 中设置 {FALLBACK_ON}，或通过 `mpsdoctor run` 设置，都要在 Python 启动之前。",
    ),
    "MPS323": _outcome(
        "{device} 不支持 {subject}",
        "用 float32 训练不受影响。在 autocast 下或用半精度时，调用会报错。",
        "",
        "这个算子在设备上可以用，但不支持这种 dtype。",
        "用 float32 训练察觉不到。用这种 dtype 或 autocast 训练会报错中断。",
        "让模型的这一部分保持 float32。",
    ),
    "MPS324": _outcome(
        "{subject}总是在 CPU 上运行，而不是在 {device} 上",
        "不管 PYTORCH_ENABLE_MPS_FALLBACK 怎么设置，torch 自己就会用 CPU 计算它：结果没有问题，只是每次调用都要把张量拷到 CPU 再拷回来，"
        "多花时间。没有设置能改变这一点。",
        "",
        "torch 在这个设备上为该算子登记的就是 CPU 的实现，直接使用，不再询问。",
        "它能用，结果也对。放在循环里会多花时间，因为每次调用都要等设备。",
        "不需要做什么。如果嫌慢，就少调用几次，或只对已经在 CPU 上的张量调用。",
    ),
    "MPS331": _outcome(
        "{subject}在 {device} 上内存不足",
        "探测用的张量只有几 KB，可见设备已经完全没有内存了：要么被别的程序占用，要么这是一台 GPU 无法分配内存的虚拟机。",
        "关掉占用这个设备的其他程序，再检查一次。",
        "只有几 KB 的探测在设备上也分配不到内存。",
        "以目前的状态，在上面什么都训练不了。",
        "关掉占用这个设备的其他程序，并看看这是不是虚拟机。",
    ),
    "MPS341": Text(
        "CPU 自检未通过：{subject}",
        "CPU 的结果与它自己的 float64 结果不一致，或者没能算完。要么这个 torch 在这台机器上算错，要么是 mpsdoctor 的算子目录有误；"
        "关于加速器在这些算子上出错的结论因此存疑。{note}\n{lines}{rest}",
        "换一个 torch 版本试试；如果依然如此，请带上这些证据反馈。",
        parts=PARTS,
        seen="同样的探测会先在 CPU 上进行，与 CPU 的 float64 结果比对。其中有一些没有通过。",
        means="要么这个 torch 在这颗处理器上算错，要么是探测本身有误。此时说加速器在这些算子上出错，说明不了什么。",
        do="换一个 torch 版本试试；如果依然如此，请带上证据反馈。",
    ),
    "MPS342": Text(
        "{device} 上的算子没有探测完",
        "{reason}。计划的 {planned} 次探测中完成了 {made} 次，其余的情况不明。",
        seen="探测提前停止了，原因不是时间不够，而是工作进程无法继续。",
        means="已经发现的结果有效。没探测到的算子情况不明。",
        do="看看原因；`mpsdoctor ops --op NAME` 可以单独探测某个算子。",
    ),
    "MPS343": Text(
        "训练必用算子的 {core_planned} 次探测，在 {device} 上只来得及做 {core_made} 次",
        "计划的 {planned:,} 次探测中完成了 {made:,} 次：{operators} 个算子，其中 {layouts:,} 次用的是非默认的布局和形状。其余的情况不明。"
        "有的设备要为每个新算子、新形状编译计算图，因此较慢。",
        "多给些时间，或者只探测你的训练用到的算子：指定名字，或给出你自己的训练步。",
        seen="训练必用的算子还没探测完，预算的时间就到了。",
        means="没有发现问题，也说明不了多少。Metal 会为每个新的算子、dtype 和形状编译计算图，通常要 10 ms，缓存冷的时候要几百 ms。",
        do="用 standard 或 thorough 预算再运行，或者只探测你自己的训练会调用的算子。",
    ),
}
