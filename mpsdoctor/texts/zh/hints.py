"""What was measured as advice, a sentence each: the hints of the profile."""

TIMES = "{speedup:figure} 倍（{ci95:range}）"

PHRASES = {
    "hint_crossover": "{workload} {size} 的 batch 达到 {batch}（{low}–{high}）时，{device} 反超 CPU",
    "hint_item": "在 {device} 上训练 {workload} {size}，每步读一次 loss 要多花 {cost_ms:duration}"
    "（{cost_ci95_ms[0]:duration}–{cost_ci95_ms[1]:duration}），而一步本身只需 {usual_ms:duration}："
    "把 loss 留在设备上，每 50 步读一次",
    "hint_copy": "在 {device} 上训练 {workload} {size}，拷贝 batch 占一步的 {percent:.0f}%"
    "（{percent_ci95[0]:.0f}%–{percent_ci95[1]:.0f}%）：放得下的数据就留在设备上，否则在计算当前 batch 的同时拷贝下一个",
    "hint_autocast": f"在 {{device}} 上，{{dtype}} autocast 训练 {{workload}} {{size}} 的速度是 float32 的 {TIMES}",
    "hint_threads": f"在 CPU 上用{{way}}训练 {{workload}} {{size}}，速度是 torch 默认线程数的 {TIMES}",
    "hint_channels_last": f"在 {{device}} 上用 channels_last 训练 {{workload}} {{size}}，速度是默认布局的 {TIMES}",
    "hint_fused": f"在 {{device}} 上用 AdamW(…, fused=True) 训练 {{workload}} {{size}}，速度是默认的 {TIMES}",
    "hint_nnpack": f"关闭 NNPACK 后，CPU 训练 {{workload}} {{size}} 的速度是原来的 {TIMES}：训练前先调用"
    " torch.backends.nnpack.set_flags(False)",
    "hint_memory": "训练 {workload} {size} 时，{device} 的内存每步增长 {bytes_per_step:size}",
    # Ways to train, where they have no name in torch.
    "way_thread": " {threads} 个线程",
    "way_threads": " {threads} 个线程",
    "way_item": "每步读 loss",
    "way_copy": "数据常驻设备",
    "way_nnpack": "不用 NNPACK",
}
