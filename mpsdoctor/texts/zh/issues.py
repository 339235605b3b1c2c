"""7xx: known issues of PyTorch, by what came of their canaries; and what a canary came to."""

from mpsdoctor.texts import Text

TRIED = "用一个小的调用来试：存在这个问题时它就会出错，以 CPU 的双精度结果为准"
ASK = "你的模型是否这样调用它：`mpsdoctor ops --model FILE.py:FUNC`。"
AROUND = f"按解决办法绕开它。{ASK}"

PHRASES = {
    "canary_did_not_raise": "本该抛出异常，却没有",
    "canary_grew": "占用的内存增长了 {figure:.0f} MiB，允许的是 {limit:.0f}",
    "canary_slower": "耗时是 {figure:.1f} 倍，允许的是 {limit:.0f} 倍",
    "canary_unsteady": "{what}；{runs} 次中有 {bad} 次如此，每次运行的结果不同",
    "canary_not_on_cpu": "这个 torch 在 CPU 上也跑不了它：{error}",
    "canary_lacks": "这个设备没有：{error}",
    "canary_no_memory": "内存不够：{error}",
    "canary_dangerous": "有危险：{why:recorded}加 --include-dangerous 才会试",
    "canary_too_large": "需要 {needed:size}，可用的只有 {free:size}",
    "canary_free_unknown": "需要 {needed:size}，可用多少不清楚",
    "canary_large": "它要占用几个 GB：用 --budget thorough 才会试",
    "canary_compiles": "torch.compile 要花时间：用 --budget thorough 才会试",
    "canary_no_time": "时间用完了",
    # of the progress
    "trying_issues": "{device}：已试 {done} 个已知问题{wrong}",
    "trying_wrong": "，{count} 个有问题",
    # shared by the findings
    "issue_recorded": "记录表明它在 torch {torch}{macos} 上有问题。",
    "issue_new": "没有记录表明它在 torch {torch}{macos} 上有问题{elsewhere}。",
    "issue_of_other_device": "记录所针对的是另一类设备。",
    "issue_elsewhere": "；记录的范围是 {range}",
    "issue_on_macos": "、macOS {macos_version}",
    "issue_on_chips": "、{chips}",
    "issue_all_torch": "所有 torch",
    "issue_torch_from": "torch {begin} 及以后",
    "issue_torch_before": "torch {end} 以前",
    "issue_torch_between": "torch {begin} 起、{end} 以前",
    "issue_range": "{versions}{on_macos}{on_chips}{on_python}",
    "issue_macos_range": "，macOS {condition}",
    "issue_chip_range": "，{chips:recorded}",
    "issue_core": "任何训练都要用到它，因此排除这个设备。",
    "issue_report_torch": "请到 https://github.com/pytorch/pytorch/issues 反馈，附上 id、上面的版本和算出的结果。",
    "issue_report_maker": "请把算出的结果反馈给后端 {device} 的作者。",
    "issue_around": "绕开的办法：{workaround:recorded}。",
    "issue_no_way": "没有记录绕开的办法。",
    "issue_is_wrong": "算错",
    "issue_is_nan": "得到非数值",
}

BODY = "{what:recorded}\n实测：{came_to}。{standing}{core}"

TEXTS = {
    "MPS701": Text(
        "{op} 在 {device} 上{outcome}，与记录相符：{id}",
        BODY,
        "{around}",
        seen=f"一个在当前 torch、macOS 和芯片上有记录的问题，{TRIED}。实测确实有问题。",
        means="如果你的模型这样调用这个算子，就会带着错误的数值训练，而且没有任何提示。",
        do=f"按解决办法绕开它，或换用没有问题的版本。{ASK}",
    ),
    "MPS702": Text(
        "{count} 个已知问题在 {device} 上没有复现",
        "记录表明它们在 torch {torch}{macos} 上有问题，而实测都正常：{ids:,list}。",
        seen=f"在当前 torch、macOS 和芯片上有记录的问题，每个都{TRIED}。实测正常。",
        means="可能是系统版本、芯片或其他条件与记录的不同。时有时无的问题，这次也可能恰好没有出现。",
        do="不需要做什么。`mpsdoctor known-issues --export` 会输出有助于更正记录的内容。",
    ),
    "MPS703": Text(
        "新发现：{op} 在 {device} 上{outcome}：{id}",
        BODY,
        "{report}{around}",
        seen=f"一个在当前 torch、macOS 和芯片上没有记录的问题，{TRIED}。实测有问题。",
        means="要么它又出现了，要么一直存在而没有被发现。如果你的模型这样调用这个算子，就会带着错误的数值训练。",
        do=f"请反馈，让它得到修复，也提醒其他人。{ASK}",
    ),
    "MPS704": Text(
        "{op} 在 {device} 上使进程崩溃：{id}",
        BODY,
        "{around}{report}",
        seen=f"一个已知问题的探针（{TRIED}）使工作进程崩溃。",
        means="这样调用这个算子的训练会崩溃，`except` 也拦不住。",
        do=AROUND,
    ),
    "MPS705": Text(
        "{op} 在 {device} 上一直不结束：{id}",
        BODY,
        "{around}{report}",
        seen=f"一个已知问题的探针（{TRIED}）一直不结束，工作进程已被终止。",
        means="这样调用这个算子的训练会停住。",
        do=AROUND,
    ),
    "MPS706": Text(
        "{op} 在 {device} 上泄漏内存：{id}",
        BODY,
        "{around}{report}",
        seen="用不断变化的尺寸或数值重复同样的调用，进程或设备占用的内存一直增长。",
        means="较长的训练会一直占用更多内存，直到不够用；然后开始用交换空间，变慢。",
        do="按解决办法绕开它，例如 padding 到少数几种尺寸。可以用 `mpsdoctor run --watch` 看着较长的训练。",
    ),
    "MPS707": Text(
        "{op} 在 {device} 上报错：{id}",
        BODY,
        "{around}{report}",
        seen="一个已知问题的探针抛出异常，而 CPU 可以正常计算。",
        means="这样调用这个算子的训练会因为这个错误中断；数值不会因此出错。",
        do=AROUND,
    ),
    "MPS708": Text(
        "{op} 在 {device} 上慢得异常：{id}",
        BODY,
        "{around}{report}",
        seen="同一个调用用两种方式计时，耗时本该差不多，其中一种却是好几倍。",
        means="这样调用这个算子的训练会白白变慢。数值是对的。",
        do="按解决办法绕开它。",
    ),
    "MPS709": Text(
        "{count} 个已知问题没有在 {device} 上试",
        "记录表明它们在 torch {torch}{macos} 上有问题，没有试：{reasons}。",
        parts={"reason": "{id}（{why}）"},
        seen="在当前 torch、macOS 和芯片上有记录的问题，有一些没有试：时间或内存不够，或者造成的影响可能在进程结束后还在。",
        means="请当作存在：记录就是这么说的。",
        do="`mpsdoctor known-issues --budget thorough` 会花更多时间。",
    ),
    "MPS711": Text(
        "模型里有 {count} 处调用，在 mps 上有已知问题",
        "{lines}{rest}",
        "在这里是否如此：`mpsdoctor known-issues`；怎么办：",
        parts={
            "met": "{place}：{op}，{trigger:recorded}：在 torch {torch}{macos} 上{outcome}（{id}）",
            "met_somewhere": "位置不明",
            "met_wrong": "算错",
            "met_nan": "得到非数值",
            "met_crash": "崩溃",
            "met_hang": "不结束",
            "met_leak": "泄漏内存",
            "met_error": "报错",
            "met_slow": "很慢",
        },
        seen="录下的训练步里，有些算子的调用方式（布局、dtype 或尺寸）会触发已知问题，而且记录的范围包含当前 torch、macOS 和芯片。",
        means="这不是实测：记录的问题在这里未必存在。把同样的调用重放一遍，就知道数值对不对。",
        do="`mpsdoctor explain ID` 有绕开的办法；`mpsdoctor known-issues` 会实测它是否存在。",
    ),
    "MPS710": Text(
        "PyTorch 自己预计有 {count} 个算子会在 {device} 上失败",
        "名单来自已安装的 wheel 里它自己的测试。{probed}{not_probed}",
        parts={
            "were_probed": "我们探测过的：{names:,list}。",
            "were_not_probed": "PyTorch 有记录、这里没有探测的：{names:,list}。",
        },
        seen="PyTorch 的 wheel 里有它自己的测试所用的名单：预计在 MPS 上会失败的算子。",
        means="如果你的模型用到其中某个，可能会失败或算错。我们探测到的结果在 `operators` 里。",
        do="没有探测过的，可以用 `mpsdoctor ops --op NAME` 单独试，前提是目录里有它。",
    ),
}
