"""What a check is doing, while it does it."""

PHRASES = {
    "importing_torch": "正在导入 torch",
    "trying_device": "正在试用 {device}",
    "timing_unprotected": "无法避免与其他计时任务冲突：{why}",
    "importing_torch_for": "算子 {device}：正在导入 torch",
    "probing": "算子 {device}：已探测 {done:,} 次{outcomes}",
    "outcome_counts": "，{counts}",
    "auditing": "算子 {device}：确认 {count} 次探测是否由 CPU 代算",
    "sampling": "op_db {device}：{samples:,} 个样本{outcomes}",
    "importing_op_db": "op_db：正在导入 torch 的算子数据库",
    "recording_step": "模型：在 CPU 上运行 {target} 的一个训练步",
    "replaying": "模型 {device}：已重放调用",
    "listing_operators": "推断：列出会调用的算子",
    "getting_ready": "正在准备 {device}",
    "machine_busy": "机器繁忙：{who}；最多等待 {left:.0f} 秒",
    "others_take": "其他程序（占 CPU 的 {percent:.0f}%）",
    "program_takes": "{name}（占单核的 {percent:.0f}%）",
    # timed training
    "narrated": "{doing}：{workload} {size}{figures}",
    "timing": "在 {devices:and} 上计时",
    "timing_again": "在 {devices:and} 上再次计时",
    "trying_ways": "在 {device} 上试{ways}",
    "trying_batches": "在 cpu 和 {device} 上试 batch {batch}",
    "step_figure": "，{name} {ms:duration} ± {percent:.0f}%",
    "step_not_settled": "，{name} 尚未稳定",
    "seconds_left": "，最多还需 {left:.0f} 秒",
}
