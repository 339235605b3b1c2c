"""Phrases that several codes share."""

PHRASES = {
    "and": " 和 ",
    "comma": "、",
    "semicolon": "；",
    "colon": "：",
    "range": "{low:figure}–{high:figure}",
    "wide_range": "数据离散",
    "ended": "{sentence}。",
    "ignore_on_cpu": "如果你用 CPU 训练，可以忽略这一条。",
    "arm64_python": (
        "安装 arm64 版 Python，再用它重建环境。/usr/local 下的 Homebrew 是 Intel 版，装出来的仍是 x86_64 的 Python；"
        "Apple 芯片版在 /opt/homebrew。uv 和 conda 也可以：最后两条命令任选其一，用来代替前面几条。"
    ),
    "pip_works": "",
    "externally_managed": "这个 Python 由 Homebrew 或系统管理，不能直接装包：请先用它创建一个虚拟环境。",
    "no_pip": "这个环境里没有 pip：可以用 uv 往里装，或用 ensurepip 补上 pip。",
    # Of operators that are missing or not right.
    "newer_none": "目前没有适用于本系统、比 {have} 更新的 torch。",
    "newer_unknown": "更新的 torch 是否已修复，尚不清楚。",
    "newer_lacks_it": "直到 {last} 为止，没有哪个 torch 补齐了全部缺失的算子。",
    "newer_has_it": "torch {since} 已经补上缺失的部分：升级即可。",
    "newer_needs_macos": "torch {since} 已经补上缺失的部分，但要求 macOS {needed}。",
    # Beside the message of a failure that is known.
    "known_cause": "（{what}：mpsdoctor explain {cause}）",
    "known_cause_sentence": "这是已知的原因：{what}（mpsdoctor explain {cause}）。",
    # Why torch refuses the value of a variable.
    "no_ratio": "{name} 不是 0 到 {most:g} 之间的比例",
    "low_above_high": "低水位 {low_ratio:g} 高于高水位 {high_ratio:g}",
    "no_log_options": "{name} 不是 torch 选项（1 到 512）之和",
    "no_signpost_options": "{name} 不是 torch 选项之和",
}
