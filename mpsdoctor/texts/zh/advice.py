"""506 to 509, 525 to 528, 530 to 534: ways to train, measured as advice; batch sizes."""

from mpsdoctor.texts import Text

SAID = "{said}{doubt}"
SPEED = "{speedup:figure} 倍（{ci95:range}）"
COMMON = {
    "doubtful": "（存疑）",
    "no_detail": "没有更多信息",
    "wrong": "在 {device} 上，{way} 的训练结果不对",
    "wrong_so": "{workload} {size} 照常训练没有问题，这样训练却{outcome}：{why}。",
    "as_usual": "在这个设备上照常训练：用 float32、torch 的默认布局和默认线程数。",
    "diverged": "偏离正确的数值",
    "nan": "得到 NaN",
    "crash": "崩溃",
    "timeout": "超时",
    "oom": "内存不足",
    "error": "报错",
}

TEXTS = {
    "MPS506": Text(
        SAID,
        "{rows}。",
        "更小的 batch 用 CPU 训练更快。脚本可以按自己的 batch 大小来查询。",
        parts={
            "doubtful": "（存疑）",
            "met": "{device} 反超 CPU 的交叉点：{crossings}",
            "apart": "在测过的 batch 大小内，{device} 与 CPU 的快慢没有互换",
            "crossing": "{workload} {size} 为 batch {batch}（{low}–{high}）",
            "row": "{workload} {size}：{found}",
            "batches": "batch {batches}",
            "batch": "{batch} 时 {speedup:figure} 倍",
        },
        seen="以平常的 batch 大小为准成倍增减，用几种 batch 大小让 CPU 和设备比速度。优势换边的地方，在测过的两个 batch 之间取值。",
        means="低于这个 batch，CPU 训练更快；高于它，设备更快。如果快慢没有互换，就是其中一个在测过的每个 batch 大小上都领先。",
        do="按你训练用的 batch 大小选设备。`get_optimal_device(workload=…, batch_size=…)` 会根据配置文件来选。",
    ),
    "MPS507": Text(
        SAID,
        "每次 .item() 都要等 {device} 算完：{workload} {size} 要多花 {cost_ms:duration}"
        "（{cost_ci95_ms[0]:duration}–{cost_ci95_ms[1]:duration}），而一步本身只需 {usual_ms:duration}。",
        "在设备上累加 loss.detach()，大约每 50 步调用一次 .item()。",
        parts={
            **COMMON,
            "slower": "在 {device} 上每步读一次 loss 要多花 {cost_ms:duration}",
            "same": "在 {device} 上每步读一次 loss，代价不到一步的 5%",
            "faster": "在 {device} 上每步读一次 loss 没有代价",
            "open": "在 {device} 上每步读一次 loss 的代价还不清楚",
        },
        seen="同样的训练测了两遍：一遍每步都调用 `loss.item()`，一遍只在每组结束时调用一次。",
        means="每次 `.item()` 都要等设备把已提交的工作全部算完。有人报告在 M3 Air 上，每步读 loss 占了 10 ms 中的 6 ms。",
        do="用 `loss.detach()` 把累计的 loss 留在设备上，大约每 50 步读一次。",
    ),
    "MPS508": Text(
        SAID,
        f"{{workload}} {{size}} 的速度是原来的 {SPEED}，{{losses}} 步的 loss 与 float32 相差不超过 {{loss_apart:.1g}}。",
        '前向计算放在 torch.autocast("{backend}", dtype=torch.{dtype}) 下{scaler}；留意你自己模型的 loss。',
        parts={
            **COMMON,
            "faster": "在 {device} 上，{dtype} autocast 的训练速度是 float32 的 {speedup:figure} 倍",
            "same": "在 {device} 上，{dtype} autocast 没有收益",
            "slower": "在 {device} 上，{dtype} autocast 比 float32 慢：速度只有 {speedup:figure} 倍",
            "open": "在 {device} 上，{dtype} autocast 是否更快还不清楚",
            "scaler": "，训练较长时要配合 GradScaler，因为小的梯度在 float16 下会变成 0",
        },
        seen="同一个模型分别用 float32 和半精度 autocast 训练，权重都是 float32。对比了速度和 loss。",
        means="autocast 用精度换速度，在有的设备上并不划算。如果是警告，说明它在这里的训练结果不对，再快也不能用。",
        do="只在明显更快的地方用它，并留意你自己模型的 loss。用 float16 做较长的训练要配合 GradScaler，因为小的梯度会变成 0。",
    ),
    "MPS509": Text(
        SAID,
        "各线程数的 CPU 速度（与 torch 默认线程数相比）：{rows}。",
        "训练开始时调用 torch.set_num_threads({best})；配置文件会记住这个数。",
        parts={
            **COMMON,
            "several": "CPU 用 {best} 个线程训练，比 torch 的默认线程数快",
            "one": "CPU 用 {best} 个线程训练，比 torch 的默认线程数快",
            "none": "没有哪个线程数明显比 torch 的默认值快",
            "row": f"{{workload}} {{size}} 用{{way}}为 {SPEED}",
        },
        seen="同样的训练在 CPU 上用几种线程数计时：成倍增加直到物理核数、全部物理核，以及性能核的数量。",
        means="在某个模型上明显更快、在其他模型上都没有明显变慢，才算更好。配置文件会把它记在设置里。",
        do="用 CPU 训练时，一开始就用推荐的线程数调用 `torch.set_num_threads`。没有明显更快的，就保持 torch 的默认值。",
    ),
    "MPS525": Text(
        SAID,
        f"数据常驻设备时，{{workload}} {{size}} 的训练速度是原来的 {SPEED}。",
        "放得下的数据就留在设备上；放不下的，在计算当前 batch 的同时拷贝下一个。",
        parts={
            **COMMON,
            "faster": "在 {device} 上，拷贝 batch 占一步的 {share:.0%}",
            "same": "在 {device} 上，拷贝 batch 占一步不到 5%",
            "slower": "在 {device} 上，拷贝 batch 不占一步的时间",
            "open": "在 {device} 上，拷贝 batch 占一步的多少还不清楚",
        },
        seen="同样的训练测了两遍：一遍每步都把 batch 拷到设备上，一遍数据从一开始就在设备上。",
        means="给出的占比，就是省掉拷贝后每步能省下的时间。不到 5% 就不值得折腾。",
        do="放得下的数据就留在设备上。放不下的，在计算当前 batch 的同时拷贝下一个。",
    ),
    "MPS526": Text(
        "每个训练步，{device} 占用的内存增长 {rate:size}",
        "它一组接一组地稳定增长：{rows}。{steps:,} 步之后就是 {soon:size}：训练会用上交换空间，或内存不足。",
        "保存 checkpoint，让较长的训练可以在新进程里接着跑；或换一个 torch 版本。你自己的模型在 {device} 上会以各自的速度增长：留意前 1,000 步。",
        parts={
            "row": "{workload} {size} 每步 {bytes_per_step:size}（{ci95[0]:size}–{ci95[1]:size}），共 {steps} 步",
            "watched": "这次训练每步 {bytes_per_step:size}（{ci95[0]:size}–{ci95[1]:size}），共 {steps:,} 步",
            "watched_remedy": "保存 checkpoint，让训练可以在新进程里接着跑。查一查有什么东西一步步留了下来：没有用 .item() 就累加的 loss、放进"
            "列表的输出、每个 batch 都不同的形状。",
        },
        seen="计时训练的每一组之后都读取了占用的内存。对这些数据做稳健的直线拟合，斜率持续为正，折算到 100,000 步至少是 1 GiB，"
        "并且不少于最初用量的一半。`mpsdoctor run --watch` 则每秒读取你自己的训练。",
        means="同样大小的 batch、同样的一步，每次都需要更多内存。较长的训练会用上交换空间，或因内存耗尽而中断。",
        do="保存 checkpoint，让较长的训练在新进程里接着跑，或换一个 torch 版本。留意你自己的模型在前 1,000 步的内存。",
    ),
    "MPS527": Text(
        SAID,
        f"权重和图像都用这种布局时，{{workload}} {{size}} 的训练速度是原来的 {SPEED}。",
        "使用 model.to(memory_format=torch.channels_last)，图像也同样处理。",
        parts={
            **COMMON,
            "faster": "在 {device} 上，用 channels_last 训练卷积的速度是原来的 {speedup:figure} 倍",
            "same": "在 {device} 上，用不用 channels_last 没有差别",
            "slower": "在 {device} 上，channels_last 让卷积变慢：速度只有 {speedup:figure} 倍",
            "open": "在 {device} 上，channels_last 是否更快还不清楚",
        },
        seen="同一个卷积模型分别用 torch 的默认布局和 channels_last 计时，权重和图像都一样处理。",
        means="loss 与照常训练的比对过，所以收益是在数值相同的前提下得到的。没有卷积的模型与此无关。",
        do="只在明显更快的地方用，模型和图像都要用。如果是警告，说明它在这里的训练结果不对：请用 torch 的默认布局。",
    ),
    "MPS528": Text(
        "有些建议没有测",
        "{rows}。",
        "预算更大，测得更多。",
        parts={
            "row": "{experiments}：{why}",
            "crossover": "{workload} 的交叉点",
            "item": "读取 loss 的代价",
            "threads": "{workload} 的 CPU 线程数",
            "copy": "拷贝的占比",
            "autocast": "float16 和 bfloat16",
            "channels_last": "channels_last",
            "fused": "AdamW(fused=True)",
            "nnpack": "NNPACK",
        },
        seen="有些实验没有做：属于更大的预算、时间不够，或所在的设备被放弃了。",
        means="关于它们一无所知，既不能说有用，也不能说没用。",
        do="运行这条命令：thorough 预算包含全部实验，给的时间也最多。",
    ),
    "MPS530": Text(
        SAID,
        f"{{workload}} {{size}} 的速度是原来的 {SPEED}。默认的 AdamW 要为每个参数调用十来个算子，fused 之后对全部参数只调用一次。",
        "使用 torch.optim.AdamW(model.parameters(), fused=True)；Adam 和 SGD 也支持。",
        parts={
            **COMMON,
            "faster": "在 {device} 上，AdamW(fused=True) 的训练速度是原来的 {speedup:figure} 倍",
            "same": "在 {device} 上，用不用 AdamW(fused=True) 没有差别",
            "slower": "在 {device} 上，AdamW(fused=True) 更慢：速度只有 {speedup:figure} 倍",
            "open": "在 {device} 上，AdamW(fused=True) 是否更快还不清楚",
        },
        seen="同样的训练分别用默认的 AdamW 和加上 `fused=True` 的 AdamW 计时。",
        means="AdamW 在 MPS 上逐个参数运行，一个小的训练步里三分之二的算子调用都是它的。fused 之后，一次调用就处理全部参数。",
        do="明显更快的话就加上 `fused=True`；Adam 和 SGD 也支持。在 MPS 上从 torch 2.5 起可用。",
    ),
    "MPS531": Text(
        SAID,
        f"不用 NNPACK 时，{{workload}} {{size}} 的训练速度是原来的 {SPEED}。这里的 torch 会把 16 张图像以上的 float32 卷积交给 NNPACK；"
        "与其他设备对比时，CPU 用的是较快的那种设置。",
        "用 CPU 训练时，一开始就调用 torch.backends.nnpack.set_flags(False)；配置文件会记住这个设置。",
        parts={
            **COMMON,
            "faster": "不用 NNPACK，CPU 训练卷积的速度是原来的 {speedup:figure} 倍",
            "same": "在 CPU 上，用不用 NNPACK 没有差别",
            "slower": "CPU 用 NNPACK 训练卷积更快，这也是默认的做法",
            "open": "不用 NNPACK 时 CPU 训练卷积是否更快，还不清楚",
        },
        seen="这里的 torch 会把 16 张图像以上的 float32 卷积交给 NNPACK 库。用一个小的 cnn 在 CPU 上测了用它和不用它的时间。",
        means="在 Apple 芯片上，这条路径可能比 torch 的另一条慢好几倍，还曾给出错误的数值。与它对比的 GPU 会显得比实际更好，所以对比时用的是"
        "较快的那条路径。",
        do="如果不用更快，就在用 CPU 训练之前调用 `torch.backends.nnpack.set_flags(False)`。torch 从 2.3 起有这个函数。",
    ),
    "MPS532": Text(
        "这个 torch 不支持{lacking}",
        "{rows}。",
        parts={"no_detail": "没有更多信息", "way_on": " {device} 上的 {way}", "row": "{device} 上的 {way}：{why}"},
        seen="torch 在这个设备上拒绝某种训练方式，或发出警告后将其关闭。",
        means="已安装的版本在这个设备上没有这项功能，所以没有数据。照常训练不受影响。MPS 上的 bfloat16 autocast 在 torch 2.5 中是关闭的，"
        "2.6 到 2.8 在 macOS 13 上也是关闭的。",
        do="不需要做什么，或试试更新的 torch：MPS 上的 `fused=True` 从 2.5 起可用。",
    ),
    "MPS533": Text(
        "{device}：最大 batch {largest}，最快 {fastest:,}",
        "{fastest:,} 每秒训练 {rate:figure} 个样本。在 {device} 上{limit}；{stopped}。",
        parts={"exactly": "{batch:,}", "at_least": "{batch:,} 或更大"},
        seen="用一个又一个 batch 大小训练你的训练步，先加倍，再在中间折半，每个只跑到能计时为止。",
        means="能运行、占用的内存不超过设备可用的量、也不使系统发生交换的 batch 才算放得下。在 Mac 上，这由"
        " `torch.mps.recommended_max_memory()`、`iogpu.wired_limit_mb` 和可用内存决定：MPS 自己要远远超过它才报错，那时系统早已在交换。"
        "最快的 batch 是没有更大的比它每秒多处理 5% 以上样本的最小的一个。",
        do="用最快的那个训练；更大的只会多占内存。batch 大小会影响模型的学习：学习率要随之调整。",
    ),
    "MPS534": Text(
        "{device}：没有放得下的 batch 大小",
        "{why}。在 {device} 上{limit}。",
        "更小的模型、半精度 autocast 或 checkpointing 占用的内存更少。",
        seen="你的训练步用任何 batch 大小（直到 1）都没能在这个设备上运行，或占用的内存超过了可用的量。",
        means="与 batch 无关的部分（权重、梯度和优化器状态）可能已经太大。",
        do="释放内存，或使用更小的模型、半精度 autocast 或 `torch.utils.checkpoint`。",
    ),
}
