"""9xx: a check that failed."""

from mpsdoctor.texts import Text

OTHERS_GO_ON = "其他检查项不受影响：每个检查项都在独立的进程里运行，崩溃也无妨。"
REPORT = "请把它反馈给这个检查项的作者；其他检查项不受影响。"
SOURCE = "`mpsdoctor checks` 会列出检查项的来源。"

TEXTS = {
    "MPS901": Text(
        "检查项抛出了异常",
        "{traceback}",
        REPORT,
        parts={"unfit": "它发来的内容既不是诊断也不是数据，或者过多；这部分已丢弃，其余保留。{problems:,list}"},
        seen="检查项以 Python 异常结束，或发来了诊断和数据以外的内容：这是检查项自身的错误，不是被检查对象的问题。",
        means=f"它本来会发现什么，不得而知。{OTHERS_GO_ON}",
        do=f"{SOURCE}请把 traceback 发给作者；在修好之前可以用 --skip 跳过它。",
    ),
    "MPS902": Text(
        "检查项没有按时结束",
        "{last_words}",
        REPORT,
        seen="检查项用时超过了它那份预算的三倍，再加上它自己要求的宽限时间。",
        means=f"它已被终止，此前发来的诊断保留。{OTHERS_GO_ON}",
        do=f"如果机器正忙，请停掉其他任务再试。{SOURCE}",
    ),
    "MPS903": Text(
        "检查项崩溃了",
        "{last_words}",
        REPORT,
        seen="检查项所在的进程异常终止：收到 SIGSEGV、SIGABRT 之类的信号，或自行退出。",
        means=f"此前发来的诊断保留。{OTHERS_GO_ON}",
        do=f"进程最后的输出在详情里。{SOURCE}",
    ),
    "MPS904": Text(
        "检查项发来了控制字符",
        "它的标题、诊断或输出里有终端会执行的控制字符，已改为可见的写法。",
        REPORT,
        seen="检查项的文本里含有转义序列，程序可以借此改写终端画面或标题。",
        means="没有执行任何内容：mpsdoctor 把它们写成了可见字符。这个检查项的文字可能有意误导。",
        do=f"{SOURCE}如果你不认识那个包，请卸载它。",
    ),
    "MPS905": Text(
        "检查项无法加载",
        "{problem}",
        REPORT,
        seen="某个已安装的包提供了检查项，但导入失败，或缺少 id、title 或 run。",
        means=f"它被跳过了。{OTHERS_GO_ON}",
        do=f"{SOURCE}请升级或卸载那个包。",
    ),
}
