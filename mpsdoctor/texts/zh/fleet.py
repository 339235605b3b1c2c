"""FLEET1xx: what many machines tell together, and why one gave no report."""

from mpsdoctor.texts import Text

SYNCHRONOUS = "每一步都交换梯度时，所有 rank 都要等最慢的那个。"

TEXTS = {
    "FLEET101": Text(
        "rank {ranks}：{how}",
        "{rows}。",
        "到那台机器上单独运行 `mpsdoctor`；它自己保存的报告，可以用 `mpsdoctor fleet merge` 合并进来。",
        parts={
            "row": "rank {rank}：{detail}",
            "killed": "体检被终止了",
            "hung": "体检挂住了",
            "late": "没有按时交出报告",
            "unreachable": "没有连上",
            "error": "没有可用的报告",
        },
        seen="集群里有一台机器没有交出报告。被终止：它的体检或看管体检的进程死了。挂住：进程还在，但没有任何输出。没按时：时间到了还在跑。没连上："
        "它始终没有出现在 torchrun 打开的 store 里。没有可用的报告：它发来的内容读不了，或体检没能开始。",
        means="对这台机器一无所知。需要它参加的训练，也会在那里中断或一直等待。",
        do="在它上面单独运行 `mpsdoctor`。没按时的，加大 `--timeout`；没连上的，检查防火墙、到 rank 0 那台机器的路由，以及各机器的"
        " MASTER_PORT 是否一致。",
    ),
    "FLEET102": Text(
        "各机器的 {what} 不一致（{step}不同）",
        "{rows}。",
        "在所有机器上安装同一个版本。",
        parts={"row": "rank {ranks} 是 {value}", "major": "主版本", "minor": "次版本"},
        seen="各机器的 torch、macOS 或 Python 版本相差不止一个补丁版本。",
        means="这样的版本之间，kernel、默认值和通信格式都可能不同：各 rank 用同样的权重可能算出不同的数，或者根本连不上。",
        do="把所有机器统一到一个版本，先统一 torch；报告列出了每一处差别以及谁是哪个值。",
    ),
    "FLEET103": Text(
        "rank {rank} 最慢：用时是中位机器的 {ratio:figure} 倍",
        f"{{rows}}。{SYNCHRONOUS}",
        "按各 rank 的表给它分更小的 batch 份额，或查明它为什么慢。",
        parts={"row": "rank {rank} 总体 {ratio:figure} 倍，{training} {most:figure} 倍"},
        seen="同一类设备上的同样训练，这台机器比中位机器至少慢一成；只比较有三台以上机器测过的训练。",
        means=f"{SYNCHRONOUS}它慢一成，就是所有机器慢一成。",
        do="先看它自己的诊断：内存压力、发热、低电量模式、其他程序、核数少。如果只是芯片不同，就按各 rank 的表分配 batch。",
    ),
    "FLEET104": Text(
        "rank {ranks} 的 {device} 不能用：它算错或会崩溃",
        "{rows}。",
        "在那里用 CPU 训练，或不用这些机器：一个 rank 的错误梯度会被平均到所有 rank。",
        parts={"row": "rank {rank}：{why}"},
        seen="某台机器的体检排除了一个设备：每个训练都要用的计算在它上面数值错误，或崩溃了。",
        means="数据并行训练会对所有 rank 的梯度取平均，所以一台机器的错误数值会悄悄毁掉整个模型。",
        do="看那台机器自己的诊断（在它上面运行 `mpsdoctor`，或看 JSON 里它的报告）。如果装了别的版本的 rank 是对的，就更新 torch 或 macOS。",
    ),
    "FLEET105": Text(
        "遇到 {count} 个已知问题",
        "{rows}。",
        "`mpsdoctor explain ID` 会说明怎么处理。",
        parts={"row": "rank {ranks} 有 {id}"},
        seen="集群中有机器没有通过已知问题的探针。",
        means="如果只有部分机器有这个问题，各 rank 用同样的权重会算出不同的数。",
        do="`mpsdoctor explain ID` 有规避办法；没有问题的机器说明该换到哪个版本。",
    ),
    "FLEET106": Text(
        "rank {ranks} 不是在最佳状态下测的",
        "{rows}。",
        "接上电源，关掉其他程序，等它降温，重测之后再用它的数字做决定。",
        parts={
            "row": "rank {ranks}：{what}",
            "pressure": "内存吃紧",
            "hot": "机器过热",
            "low_power": "低电量模式",
            "on_battery": "用电池供电",
            "disturbed": "受其他工作干扰",
        },
        seen="测时间时，这台机器内存吃紧、过热、省电，或受其他工作干扰。",
        means="它的数字低于实际能力，batch 份额和快慢比较也就偏低。如果训练时也是这样，所有机器都要等它。",
        do="排除原因，再做一次体检。",
    ),
    "FLEET107": Text(
        "机器之间试过的 {all} 条连接有 {count} 条不通",
        "{rows}。",
        "在这些机器之间放开防火墙，或指定能连到所有机器的网络接口：GLOO_SOCKET_IFNAME=en0。",
        parts={"row": "rank {rank} 连不上 rank {to}（{interface}）：{detail}"},
        seen="每台机器都打开了一个端口，并尝试连接别的机器的端口；它们都能连上 rank 0 的 store，但彼此之间有的连不上。",
        means="gloo 要求每两个 rank 之间都能连接。只要有一对连不上，init_process_group 或第一次集合通信就会挂住。",
        do="macOS 会询问是否允许程序接受连接：允许这个 Python，或对这个网络放开防火墙。有多个接口（以太网、雷雳、Wi-Fi）的机器需要"
        " GLOO_SOCKET_IFNAME。",
    ),
    "FLEET108": Text(
        "{backend} 不接受 {device} 上的张量（rank {ranks}）",
        "{words}。",
        "把梯度放在它接受的设备上，或让每台机器各自训练。",
        seen="一个单独的进程用这个后端建了只有自己的进程组，对该设备上的一个张量做 all_reduce，失败了。",
        means="init_process_group() 照样会成功，而 DistributedDataParallel 在这个设备上的第一步会报这个错。gloo 没有 MPS 张量：Mac"
        " 之间的数据并行要经过 CPU。",
        do="先把梯度拷到 CPU 再归约（可以用 DDP 的通信 hook），或用 gloo 在 CPU 上训练。CUDA 请用 nccl。",
    ),
    "FLEET109": Text(
        "各 rank 会在不同类型的设备上训练：{devices:and}",
        "{rows}。这是各机器自己的配置文件决定的。",
        "用 MPSDOCTOR_DEVICE 给所有 rank 指定同一种设备，或去掉不同的机器。",
        parts={"row": "rank {ranks} 用 {device}"},
        seen="get_optimal_device() 读取每台机器自己的配置文件，而这个集群的配置文件推荐的设备类型不同。",
        means="集合通信要求所有 rank 都在后端接受的同一类设备上，而且速度取决于最慢的那类。这些机器上的训练脚本会从"
        " get_optimal_device() 得到警告。",
        do="统一决定：MPSDOCTOR_DEVICE=cpu torchrun …；或按各 rank 的表分配 batch。",
    ),
    "FLEET110": Text(
        "rank {rank} 与基准相比有变化：{count} 处变化中 {worse} 处变差",
        "{rows}。",
        "对这台机器的两份报告运行 `mpsdoctor compare OLD.json NEW.json`，可以看到全部变化。",
        parts={"row": "{what}：{before} → {after}"},
        seen="与 --baseline 指定的报告相比，同一 rank 的机器有变化；判断规则与 `mpsdoctor compare`"
        " 相同：速度看区间，还有版本、诊断、算子和结论。",
        means="一台机器变差，就决定了所有机器的速度或数值。",
        do="查明那里更新了什么，让其他机器同样更新，或退回去。",
    ),
}

# Why a machine gave no report, beside its outcome.
PHRASES = {
    "fleet_child_ended": "体检因 {how} 结束{words}",
    "fleet_no_report": "体检以 {how} 结束，没有留下报告{words}",
    "fleet_last_words": "；最后的输出：{words}",
    "fleet_not_started": "体检没能启动：{why}",
    "fleet_silent": "体检进程还在，但已有 {seconds:.0f} 秒没有任何输出{words}",
    "fleet_at_work": "{seconds:.0f} 秒后体检还在进行{words}",
    "fleet_asked_to_end": "体检完成之前，它被要求结束",
    "fleet_gone": "它的进程已经不在：{seconds:.0f} 秒没有心跳，端口也关了",
    "fleet_quiet": "它的进程已有 {seconds:.0f} 秒没有心跳；可能被暂停，或网络断了",
    "fleet_beating": "它的进程还在，但 {seconds:.0f} 秒后仍没有交出报告",
    "fleet_never_came": "{seconds:.0f} 秒内它没有连到 store",
    "fleet_unfit": "它发来的内容不能用：{why}",
    "fleet_unheard": "没有一份报告是它的",
    "fleet_no_store": "rank 0 没有可以联系它的 store：{why}",
    "fleet_ended_first": "收集在它回答之前就结束了",
}
