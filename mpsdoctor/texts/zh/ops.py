"""35x and 36x: the operators of a person's own training step."""

from mpsdoctor.texts import Text
from mpsdoctor.texts.en.common import FALLBACK_ON

CALL = "{op} {does}，位置 {at}"
PARTS = {
    "call": CALL,
    "line": CALL + "{source}{quoted}",
    "source": "：{line_of_code}",
    "quoted": "（{first_words}）",
    "more": "\n另有 {more_count} 处",
}
PHRASES = {
    "operator_crash": "使进程崩溃",
    "operator_timeout": "一直不结束",
    "operator_unimplemented": "没有实现",
    "operator_oom": "内存不足",
    "operator_error": "报错",
    "operator_dtype": "不支持这种 dtype",
    "operator_wrong": "算出错误的数值",
    "operator_nan": "算出非有限值",
    "operator_fallback": "回退到 CPU",
    "operator_always": "总是在 CPU 上运行",
    # where in a step an operator is called
    "backward_of": "{where} 的反向",
    "module_made_at": "{module}（创建于 {made_at}）",
    "module": "模块",
    "phase_forward": "前向",
    "phase_backward": "反向",
    "phase_optimizer": "优化器更新",
    "phase": "{phase} 阶段",
}
REPLACE = "换掉这些算子，或在调用时把它们的张量移到 CPU。"
SET_IT = "在启动导入 torch 的程序之前设置它。"
PREDICTED = {
    "op_sentence": "{op}{made_of}：{says}",
    "op_line": "{op}{needs_of}：{says}{called_at}",
    "made_of": "（由 {needs:,list} 组成）",
    "needs_of": "（需要 {needs:,list}）",
    "called_at": "（{place}）",
    "more": "\n另有 {more_count} 个",
}
PREDICTION = "根据 PyTorch 的声明推断，没有在 MPS 上实际运行：\n{lines}{rest}"


def _answer(title: str, means: str, remedy: str, seen: str, meaning: str, do: str) -> Text:
    detail = f"{{target}}：{means}\n{{lines}}{{rest}}"
    return Text(title, detail, remedy, parts=PARTS, seen=seen, means=meaning, do=do)


RECORDED = "你的训练步先在 CPU 上运行，再把每次算子调用在设备上重放。"

TEXTS = {
    "MPS351": _answer(
        "这个训练步在 {device} 上跑不通：{first}",
        "训练会停在这次调用上。",
        REPLACE + "{newer}{pip_note}",
        f"{RECORDED}至少有一次调用在那里报错、使进程崩溃，或一直不结束。",
        "你的脚本会停在其中的第一次调用上。",
        "每次调用都标出了它在你代码里的位置。在那里换用别的算子，或在调用时把张量移到 CPU。如果已知哪个更新的 torch 有这个算子，会一并指出。",
    ),
    "MPS352": _answer(
        "这个训练步在 {device} 上能跑，但算错：{first}",
        "不会报错：训练会带着错误的数值继续。",
        "避开这些算子，或改用 CPU 训练。{newer}{pip_note}",
        f"{RECORDED}至少有一次的结果与 CPU 的 float64 不同，或不是有限值。",
        "你的脚本会一直跑完，但训练用的是错误的数值。",
        "如果问题只在某种内存布局下出现，调用前加 `.contiguous()` 就能避开。否则换用别的算子，或改用 CPU 训练。更新的 torch 也许已经修复，"
        "mpsdoctor 没有相关记录。",
    ),
    "MPS353": _answer(
        "这个训练步要靠 CPU 代算才能在 {device} 上跑：{first}",
        f"设置 {FALLBACK_ON} 后，torch 在这些调用处把张量拷到 CPU 再拷回来；不设置则会报错。",
        SET_IT,
        f"{RECORDED}至少有一次在那里没有实现，由 CPU 代算才能运行。",
        "不设置这个变量，你的脚本会以 NotImplementedError 中断。设置之后，每次这样的调用都要拷到 CPU 再拷回来。",
        f"在启动 Python 之前设置 {FALLBACK_ON}；如果因此变慢，就换掉这些算子。",
    ),
    "MPS354": _answer(
        "这个训练步能在 {device} 上跑，只有一部分在 CPU 上：{first}",
        "不管 PYTORCH_ENABLE_MPS_FALLBACK 怎么设置，torch 自己就会用 CPU 处理这些调用。结果没有问题，只是来回拷贝张量要花时间。",
        "",
        f"{RECORDED}其中有一些，torch 自己就会用 CPU 的实现。",
        "训练步的结果正确，可以照常使用。这些调用要等设备，会多花些时间。",
        "不需要做什么，除非嫌慢。",
    ),
    "MPS361": Text(
        "{target} 需要 {first}",
        PREDICTION,
        "如果指出了版本，就换用已支持它们的 torch。" + REPLACE,
        parts=PREDICTED,
        seen="你的训练步在 CPU 上运行，再到 PyTorch 对 MPS 的声明里查它用到的算子。至少缺了一个，而且开启回退也没用。",
        means="预计你的脚本在 Mac 上会停在那里。没有在 MPS 上实际运行。",
        do="如果指出了版本，就升级 torch，否则换掉这个算子。",
    ),
    "MPS362": Text(
        "{target} 需要 {first}",
        PREDICTION,
        SET_IT,
        parts=PREDICTED,
        seen="你的训练步在 CPU 上运行，再到 PyTorch 对 MPS 的声明里查它用到的算子。至少缺了一个，开启回退后由 CPU 代算。",
        means="不设置这个变量，预计你的脚本在 Mac 上会停在那里。没有在 MPS 上实际运行。",
        do=f"在启动 Python 之前设置 {FALLBACK_ON}。",
    ),
}
