"""The words of `mpsdoctor race`: what goes on, what became of a run, and the answer."""

PHRASES = {
    # what goes on
    "race_loading": "在 {devices:and} 上启动：已 {seconds:.0f} 秒，等待第一个训练步",
    "race_learning": "{device}：最初几步",
    "race_warming": "{device}：预热，直到单步耗时稳定",
    "race_timing": "在 {devices:and} 上计时{figures}",
    "race_alone": "{device} 无法与其他设备同时跑：单独再跑一次",
    "race_catching_up": "{device}：继续跑到另一个设备出错的那一步",
    "race_again": "脚本结束时还没有分出快慢：再跑一次",
    "race_warning": (
        "这条命令会原样在每个设备上各跑一遍，同时进行：它写什么，就会写几遍，而且写到同样的位置。Ctrl+C 结束全部，并给出到那时为止的结果。"
    ),
    "race_logs": "脚本的输出保存在 {folder}",
    # how a run ended
    "race_ended": "脚本跑完了",
    "race_no_accelerator": "这里的 torch 没有加速器，没有可与 CPU 对比的设备",
    "race_hidden": "python {flags} 不允许任何注入：启动文件无法控制它。请去掉 {flags}",
    "race_unfit": "无法观察这个 torch：{why}",
    "race_not_started": "无法启动 {command}：{why}",
    "race_without_torch": (
        "它没有导入 torch 就结束了，或者在看不到的地方导入：python -I、-E 和 -S，以及清除 PYTHONPATH 的程序，都会遮住它们启动的内容"
    ),
    "race_without_steps": "它没有执行训练步就结束了：没有调用过 optimizer.step() 和 backward()",
    "race_too_short": "它只跑了 {steps} 个训练步就结束了，太少，无法计时",
    "race_late": "{seconds:.0f} 秒内没有训练步；用 --timeout 可以等得更久",
    "race_idle": "{seconds:.0f} 秒内没有训练步，而且什么也不做了：它卡住了，或在等待",
    "race_no_end": "第 {step} 步之后，{seconds:.0f} 秒内没有完成一个训练步",
    "race_terminal": "它要从终端读取输入，而竞速时没有终端：{words}",
    "race_died": "它以 {end} 结束：{words}",
    "race_died_silent": "它以 {end} 结束，没有任何输出",
    "race_unusable": "它的回答无法理解：{why}",
    "race_not_followed": "它的参数在另一个设备上",
    "race_interrupted": "还没有计时就被中断了",
    "race_no_figures": "没有计时，因为没有可对比的对象",
    # the line that does not follow
    "race_blame_line": (
        "它的参数在 {ran_on:and} 上：由 {file}:{line} 决定（{text}）。先写 `from mpsdoctor import get_optimal_device`，再改成：{write}"
    ),
    "race_blame_move": (
        "它的参数在 {ran_on:and} 上：是 {file}:{line} 放过去的（{text}）。先写 `from mpsdoctor import get_optimal_device`，再改成：{write}"
    ),
    "race_blame_nothing": (
        "它的参数在 {ran_on:and} 上：在 {file}:{line}（{text}）之前，没有代码把它们移到 {device}。先写 `from mpsdoctor import"
        " get_optimal_device`，再在那一行之前写：{write}；model.to(device)，每个 batch 也要移过去"
    ),
    "race_blame_library": "它的参数在 {ran_on:and} 上：{library} 会在那里训练，除非告诉它：{write}",
    # whether both train alike
    "race_against": "{device} 上",
    "race_alike": "训练结果一致：比对了 {steps} 步的 loss，前十步相差不超过 {apart:.1g}",
    "race_not_alike": "训练结果不一致：{fault}",
    "race_not_comparable": "无法逐步比对 loss：{why}{level}",
    "race_other_weights": "各次运行的初始权重不同，因为权重是在设备上随机生成的，或没有固定种子",
    "race_other_batches": "各次运行读取数据的顺序不同",
    "race_draws": "随机数是在 {device} 上生成的（dropout、噪声）",
    "race_level_same": "；就目前所见，loss 的水平相当",
    "race_level_apart": "；loss 的水平也不同，请查看两边的日志",
    "race_no_losses": "没有看到 loss，无法判断数值是否一致",
    # the answer
    "race_command": "竞速：{command}",
    "race_faster": "{device} 的训练速度是 {baseline} 的 {speedup:figure} 倍（{ci95:range}）",
    "race_slower": "{device} 的训练速度只有 {baseline} 的 {speedup:figure} 倍（{ci95:range}）",
    "race_tie": "平手：{device} 的训练速度是 {baseline} 的 {speedup:figure} 倍（{ci95:range}），{why}",
    "race_open": "没有定论：{device} 的训练速度是 {baseline} 的 {speedup:figure} 倍（{ci95:range}），{why}",
    "race_none": "没有给任何设备计时",
    "race_out": "{device} 出局（{outcome:word report.outcome}）：{why}",
    "race_failed": "{device} 没有结果（{outcome:word report.outcome}）：{why}",
    "race_apart": "两者是先后计时的，所以区间里也包含了其间的变化",
    "race_apart_detail": "先后计时，不是轮流",
    "race_row": "{device}：每步 {step_ms:duration}（{low:duration}–{high:duration}），每秒 {rate:figure} 步",
    "race_epoch": "，{batches:,} 个 batch 的一个 epoch 需要 {time}",
    "race_seconds": "{seconds:.3g} 秒",
    "race_minutes": "{minutes:.1f} 分钟",
    "race_hours": "{hours:.1f} 小时",
    "race_memory": "，内存最多 {bytes:size}",
    "race_optimizers": "；一步包含 {optimizers} 个优化器的 {round} 次更新",
    "race_aside": "未计入：{rows}",
    "race_aside_row": "{device} {count} × {what}，{seconds:.1f} 秒",
    "race_aside_validation": "验证",
    "race_aside_checkpoint": "checkpoint",
    "race_aside_epoch": "epoch 开头",
    "race_aside_pause": "停顿",
    "race_disturbed": "受到干扰：{why}",
    "race_several": "{device}：还有 {count} 个进程也在执行训练步，没有计时",
    "race_not_settled": "{device} 开始计时的时候还没有稳定",
    "race_run": "训练用：mpsdoctor run --device {device} -- {command}",
    "race_verdict": "建议用 {device} · 置信度{confidence:word report.confidence}",
    # doubts
    "race_doubt_numbers": "训练结果是否一致还不清楚",
    "race_doubt_apart": "两者是先后计时的",
    "race_doubt_warm": "单步耗时还没有稳定",
    "race_doubt_open": "快慢还不能判定",
}
