"""501 to 505, 510 to 524, 529, 535 to 538: timed training."""

from mpsdoctor.texts import Text

COUNTED = {"workload": "{count} 个模型", "workloads": "{count} 个模型"}
FAILED = {"cause": "{runs}：{why}", "no_detail": "没有更多信息"}
SPEEDUP = {"row": "{workload} {size} {speedup:figure} 倍（{ci95:range}）"}
AGAINST = "相对 CPU 的速度及 95% 置信区间：{rows}。"

SINGLE = "逐个给四个算子计时，每个调用五次，每次调用都等设备算完，与 mlx-benchmark 的贡献者所用的方法相同。"
THE_TABLE = "他们在十一款芯片上的数据随 mpsdoctor 提供，大多一款芯片只有一台机器。"
AMONG_OTHERS = "依次是这里、另一台 {chip}，以及测过的所有芯片中最快到最慢的耗时：{rows}。"
OPERATORS = {
    "row": "{operator:word report.operator} {ms:duration}，对比 {chip_ms:duration}"
    "（{all_chips_ms[0]:duration}–{all_chips_ms[1]:duration}）"
}

TEXTS = {
    "MPS501": Text(
        "{all} 个模型中有 {count} 个在 {device} 上训练得比 CPU 快",
        AGAINST,
        parts=SPEEDUP,
        seen="CPU 和设备轮流跑若干组完整的训练步，拷贝 batch 的时间也算在内。这些模型在设备上更快：加速比的置信区间在 1.05 以上。",
        means="这样的训练在设备上能更早跑完。计时之前，已经把它的 loss 和首步梯度与 CPU 的比对过。",
        do="这些类型和规模的模型放到设备上训练。`mpsdoctor bench --step` 可以给你自己的训练步计时。",
    ),
    "MPS502": Text(
        "{all} 个模型中有 {count} 个在 {device} 上训练得比 CPU 慢",
        AGAINST,
        parts=SPEEDUP,
        seen="这些模型在 CPU 上更快：加速比的置信区间在 0.95 以下。",
        means="这样的训练在设备上更费时间。常见的原因是模型太小：大量的小算子都要逐个在设备上启动，而 AdamW 在 MPS 上是逐个参数更新的。"
        "这里没有测量究竟是哪一种。",
        do="这样的模型用 CPU 训练。batch 增大后可能反过来：MPS506 会指出从多大开始，MPS530 会指出 AdamW 加 `fused=True` 的收益。",
    ),
    "MPS503": Text(
        "{all} 个模型中有 {count} 个在 {device} 和 CPU 上难分快慢",
        "这样的训练换设备没有收益。" + AGAINST,
        parts=SPEEDUP,
        seen="计时的组数已经够多，但加速比的置信区间没有离开 1 附近 5% 的范围。",
        means="对这些模型，两个设备的差距都不值得去改脚本。",
        do="继续用训练现在所用的设备，或根据其他模型来决定。",
    ),
    "MPS504": Text(
        "这里只有 {device} 一个设备；{counted}可以在上面训练",
        "单步耗时及 95% 置信区间：{rows}。",
        parts={
            **COUNTED,
            "row": "{workload} {size} {step_ms:duration}（{ci95_ms[0]:duration}–{ci95_ms[1]:duration}）",
        },
        seen="只在一个设备上给训练计了时，因为没有其他可用的或要求检查的设备。",
        means="没有可对比的对象，单步耗时只能单独看。",
        do="如果本来就没有加速器，不需要做什么。否则看看 torch 构建的检查项对其他设备怎么说。",
    ),
    "MPS505": Text(
        "有 {counted}没有在 {device} 上计时",
        "{runs}：{reasons}。",
        "预算更大，计时的模型更多。",
        parts=COUNTED,
        seen="有些模型没有测：时间不够、编译要花太久，或设备在崩溃或卡死之后被放弃了。",
        means="推荐的设备只以计过时的模型为依据。",
        do="如果你的模型与没测的那些相近，请用更大的预算再运行。",
    ),
    "MPS510": Text(
        "{device} 训练 {runs} 的数值与 CPU 不同",
        "{causes}。",
        "改用 CPU 训练，或换一个 torch 版本：数值不对，再快也没有意义。",
        parts=FAILED,
        seen="在相同的种子、权重和 batch 下，设备上的 loss 或首步梯度与 CPU 的差异超出了舍入误差所能解释的范围。",
        means="在那里训练会学到别的东西，而且没有任何报错。速度再快也不算数。",
        do="改用 CPU 训练，或换一个 torch 版本。算子检查项会指出是哪些算子算得不同。",
    ),
    "MPS511": Text(
        "{device} 把 {runs} 训成了 NaN 或 inf",
        "{causes}。",
        "改用 CPU 训练，或换一个 torch 版本。",
        parts=FAILED,
        seen="设备上的 loss 或首步梯度是 NaN 或 inf。",
        means="从那一步起训练就废了，而 torch 不会报错。",
        do="改用 CPU 训练，或换一个 torch 版本。",
    ),
    "MPS512": Text(
        "在 {device} 上训练 {runs} 会使进程崩溃",
        "{causes}。",
        "改用 CPU 训练；进程最后的输出在证据里，可以用来向 PyTorch 反馈。{dialog}",
        parts={**FAILED, "dialog": "macOS 可能会为此弹出“Python 意外退出”，那就是这个检查项引起的。"},
        seen="在设备上训练的进程因信号而终止，没有抛出 Python 异常。",
        means="做同样事情的训练会在那一步中断，Python 捕获不了。这个检查项会继续，因为它在独立的进程里训练。",
        do="改用 CPU 训练。证据里有进程最后的输出，可以用来向 PyTorch 反馈。",
    ),
    "MPS513": Text(
        "在 {device} 上训练 {runs} 一直不结束",
        "{causes}。",
        "改用 CPU 训练；如果设备只是慢，更大的预算会给它更多时间。",
        parts=FAILED,
        seen="设备上的训练步没有按时结束。首步会多给两分钟用来编译。",
        means="设备卡死了，或者慢到无法用来训练。本次运行不再在它上面训练。",
        do="改用 CPU 训练。如果设备可能只是慢，请用更大的预算再运行。",
    ),
    "MPS514": Text(
        "{device} 训练 {runs} 时内存不足",
        "{causes}。",
        "关掉占用设备内存的其他程序，或用更小的 batch 训练。",
        parts=FAILED,
        seen="训练其中一个小模型时，在设备上分配内存失败。",
        means="这个检查项的模型都很小，更大的模型更放不下。Mac 的 GPU 与所有其他程序共用统一内存。",
        do="关掉占内存的其他程序，或用更小的 batch 训练。",
    ),
    "MPS515": Text(
        "{device} 缺少 {runs} 所需的功能",
        "{causes}。",
        "这类模型在这里要用 CPU 训练；在 MPS 上则要开启回退：在导入 torch 之前设置 PYTORCH_ENABLE_MPS_FALLBACK=1。"
        "mpsdoctor ops --predict mps --op NAME 会指出 MPS 从哪个 torch 起支持某个算子。",
        parts=FAILED,
        seen="torch 报告这个训练用到的某个算子或 dtype 在设备上不存在。",
        means="这类模型目前无法在那里训练。开启回退后，MPS 会把缺失的算子放到 CPU 上运行；如果缺的是 dtype，回退没有用。",
        do="改用 CPU 训练，或用 `mpsdoctor ops --predict mps --op NAME` 看看更新的 torch 是否有这个算子。回退的变量在加载 torch 时读取："
        "`import torch` 之后再设置不起作用。",
    ),
    "MPS516": Text(
        "在 {device} 上训练 {runs} 失败",
        "{causes}。",
        "这样的模型换一个设备训练。",
        parts=FAILED,
        seen="设备上的训练以异常结束，既不是内存不足，也不是缺少算子。",
        means="以目前的状态，这类模型无法在这个设备上训练。证据里有完整的报错。",
        do="这样的模型换一个设备训练。",
    ),
    "MPS520": Text(
        "同时还有另一个计时任务在跑",
        "当前用户的另一个 mpsdoctor 正在计时，而且没有及时结束：两边的数据都存疑。",
        "等另一个跑完，再运行一次。",
        seen="同一用户的计时任务靠一把锁互相避让。锁被另一个任务占着，而它没有及时结束。",
        means="两个任务互相抢 CPU，数据都存疑。本次的设置、建议和 batch 大小表都不会写入配置文件。",
        do="等另一个任务跑完，再运行一次。",
    ),
    "MPS521": Text(
        "有情况影响计时",
        "{conditions}。绝对耗时存疑；比值受影响较小，因为各设备是轮流跑的。{waiting}{kept}",
        "{steps}",
        parts={
            "close_these": "关掉 {names:and}。",
            "close_others": "关掉后台在跑的程序。",
            "leave_low_power": "关闭低电量模式（系统设置 › 电池）。",
            "plug_in": "接上电源。",
            "again": "等机器空闲时再运行一次。",
            "waited": "等机器空闲等了 {waited_s:.0f} 秒，没有等到。",
            "not_kept": "本次的设置、建议和 batch 大小表都不会写入配置文件。",
        },
        seen="给训练计时的时候，其他程序占用了 CPU、内存在换页或紧张、机器过热，或处于低电量模式、用电池供电。",
        means="绝对耗时不能代表机器空闲时的情况。比值受影响较小，因为各设备是轮流跑的。如果有负载、换页、critical 级的内存压力或严重发热，"
        "设置、建议和 batch 大小表都不会写入配置文件。",
        do="关掉后台在跑的程序，接上电源，再运行一次。",
    ),
    "MPS522": Text(
        "{device} 上的单步耗时波动超过 {limit:.0%}",
        "95% 置信区间的半宽：{rows}。",
        seen="同一个训练步的各组耗时，在这个设备上相差较大。",
        means="区间这么宽，5% 的差别是看不出来的；大的差别还可以。",
        do="等机器空闲时再运行，或用更大的预算。",
    ),
    "MPS523": Text(
        "{device} 跑 {counted}的最初几步要 {total:.1f} 秒",
        "设备第一次遇到的内容要先编译：{rows}。单步耗时不含这部分。一次训练付一次；每遇到新的 batch 大小或序列长度，还要再付一次。",
        "让各步的尺寸保持一致：序列做 padding，丢掉最后那个较小的 batch。",
        parts={**COUNTED, "row": "{workload} {size} {spent:.1f} 秒"},
        seen="最初几步的耗时是之后的五倍以上。",
        means="MPS 会为每个算子遇到的新 dtype 和新尺寸编译计算图：通常每个 10 ms，Metal 的缓存冷的时候要几百 ms，而一个小的训练步里有 66"
        " 到 175 个。单步耗时不含这部分，但短的训练能感觉到。",
        do="让各步的尺寸保持一致：序列做 padding，丢掉最后那个较小的 batch。每种新尺寸都要重新编译。",
    ),
    "MPS524": Text(
        "{device} 跑 {counted}时，单步耗时还没有稳定",
        "到最后仍有超过 5% 的漂移：{rows}。",
        parts={**COUNTED, "row": "{workload} {size}（{seconds:.1f} 秒内 {steps} 步）"},
        seen="预热结束时，单步耗时仍有超过 5% 的漂移。",
        means="测得的单步耗时，可能是设备还没有达到正常速度时的。已经分出胜负的对比不受影响。",
        do="如果绝对耗时重要，请用更大的预算再运行。",
    ),
    "MPS529": Text(
        "{all} 个模型中有 {count} 个，{device} 与 CPU 谁快还没有定论",
        "时间不够，计时的组数太少，分不出胜负；预算更大就能看清。" + AGAINST,
        parts=SPEEDUP,
        seen="计时的组对不到六对，而 95% 置信区间需要六对。各对也没有都显示设备快一倍或慢一半；如果都显示，更少的对数也足以判定。",
        means="这些模型上谁更快还没有定论，结论也不以它们为依据：它们跟随其余模型。",
        do="等机器空闲时，用更大的预算再运行。",
    ),
    "MPS535": Text(
        "最慢的一段，每步耗时是平时的 {times:figure} 倍",
        "从 {begin:.0f} 秒到 {end:.0f} 秒，每步 {step_ms:duration}。{beside}",
        parts={
            "went": "当时{rows}。两者同时出现，可能就是原因。",
            "nothing": "当时的内存、交换、温度、供电和其他程序都与其余时间一样：可能是训练本身的原因，例如输入更长。",
            "at_pressure": "内存压力为{level:word report.pressure}",
            "at_heat": "热状态为“{level}”",
            "at_swapping": "每秒换页 {bytes:size}",
            "at_load": "其他程序占用 {percent:.0f}% 的处理器",
            "at_load_of": "其他程序占用 {percent:.0f}% 的处理器，主要是 {names:and}",
            "at_low_power": "低电量模式已打开",
            "at_battery": "使用电池供电",
        },
        seen="被观察的训练按时间分成至少五秒的若干段。最慢的一段里，每步耗时至少是中间一段的 1.2 倍。遇到验证、checkpoint 或 epoch 开头的步不计。",
        means="这里列出那一段里比其余多数时间更糟的情况。它们与变慢同时出现，但不能证明就是原因。",
        do="关掉占用处理器或内存的程序，接上电源，等它降温，再观察一次。",
    ),
    "MPS536": Text(
        "这次训练的 {total:.0f} 秒里，有 {seconds:.0f} 秒机器过热",
        "最差时热状态为“{level}”：这时系统会让芯片降速。",
        "让它通风，或在凉快的地方训练；没有风扇的 Mac 只能全速运行几分钟。",
        seen="`mpsdoctor run --watch` 每十秒读取系统的热状态，其中出现了 serious 或 critical。",
        means="芯片跑得比它能达到的慢。这时测得的时间只对过热的机器成立。",
        do="比较时间之前先等它降温。长时间的训练，要按较慢的速度来估计。",
    ),
    "MPS537": Text(
        "{device} 上单个算子的耗时是另一台 {chip} 的 {typical:figure} 倍",
        "{said}" + AMONG_OTHERS,
        parts={
            **OPERATORS,
            "alike": "这在同款芯片的机器之间常见的差别之内。",
            "slower": "这比同款芯片的机器之间常见的差别更慢。",
            "disturbed": "这里更慢，但计时时机器受到了干扰（MPS520、MPS521）。",
            "faster": "这比同款芯片的机器之间常见的差别更快。",
        },
        seen=f"{SINGLE}{THE_TABLE}",
        means="这个倍数是各算子的中间值。芯片相同的机器也有差别：两台 M4 Pro（核心数也不同）上，五分之四的算子相差不到 1.5 倍，十分之九不到 2 倍。"
        "其他人用的 torch 和 macOS 版本没有记录；换一个新的 torch，单个算子可能变快，也可能变慢。",
        do="接近 1 时不需要做什么。`mpsdoctor bench --export` 会把你的数据按行输出，可以用来完善这张表。",
    ),
    "MPS538": Text(
        "作为 {chip}，{device} 偏慢：单个算子的耗时是另一台的 {typical:figure} 倍",
        AMONG_OTHERS,
        "找出限制它的原因：CPU 可能是线程数受限（OMP_NUM_THREADS），GPU 可能被其他程序占用，两者都可能过热；再换一个 torch 试试。",
        parts=OPERATORS,
        seen=f"{SINGLE}至少一半的算子在这里花了两倍以上的时间，而当时没有其他负载，没有打开低电量模式，也没有过热。{THE_TABLE}",
        means="这里的训练可能达不到这款芯片应有的速度。也可能是 torch 或 macOS 的原因：其他人用的版本没有记录，而且只有一两台机器的数据。",
        do="如果是 CPU，检查线程数是否受限（OMP_NUM_THREADS）；如果是 MPS，检查有没有程序在用 GPU，这一点 mpsdoctor 看不到。然后换一个 torch 版本运行 `mpsdoctor bench`，再比较。",
    ),
}
