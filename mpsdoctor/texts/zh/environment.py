"""6xx: environment variables."""

from mpsdoctor.texts import Text

TEXTS = {
    "MPS601": Text(
        "没有哪个已知的 torch 会读取 {name}",
        "它被设置了，但在 torch 2.0 到 2.15 中都不起作用。",
        "取消设置：unset {name}。",
        parts={
            "did_you_mean": "你想写的是 {close} 吗？",
            "further": "还有 {count} 个变量没有哪个已知的 torch 会读取",
            "names": "它们被设置了，但在 torch 2.0 到 2.15 中都不起作用：{names:,list}",
        },
        seen="设置了一个名字以 PYTORCH_ 开头的变量，而 torch 2.0 到 2.15 都不读取它。",
        means="torch 不会提示，训练起来与没设置一样。变量名拼错就是这个样子。",
        do="如果你本想用 torch 会读取的某个变量，请改正名字，否则取消设置。",
    ),
    "MPS602": Text(
        "torch {torch} 不读取 {name}",
        "torch 从 {since} 起才读取它，在这里不起作用。",
        "升级 torch，或取消设置。{note}",
        seen="设置了一个只有更新的 torch 才会读取的变量。",
        means="这个 torch 不会提示，训练起来与没设置一样。",
        do="如果需要这个变量的功能，请升级 torch，否则取消设置。",
    ),
    "MPS603": Text(
        "{reason}",
        "在 MPS 上第一次分配内存就会失败，报错 invalid low watermark ratio 或 invalid high watermark ratio。"
        "PYTORCH_MPS_HIGH_WATERMARK_RATIO 和 PYTORCH_MPS_LOW_WATERMARK_RATIO 的默认值是 {default_high} 和 {default_low}："
        "要把高水位降到 {default_low} 以下，低水位也要一起设置。用 CPU 训练不受影响。",
        "两个都设置，低水位不要高于高水位。",
        seen="PYTORCH_MPS_HIGH_WATERMARK_RATIO 或 PYTORCH_MPS_LOW_WATERMARK_RATIO 的取值被 torch 拒绝：超出 0 到 2，或低水位高于高水位。"
        "没有设置的那个按默认值算。",
        means="在 MPS 上第一次分配内存就会报错，训练根本无法开始。CPU 上没有变化。",
        do="两个都设置，低水位不要高于高水位；或者两个都取消，用 torch 的默认值。",
    ),
    "MPS604": Text(
        "MPS 的内存上限被关掉了",
        "{misread}在 PYTORCH_MPS_HIGH_WATERMARK_RATIO=0 的情况下，训练一旦超出内存，就会让系统大量使用交换空间，甚至拖垮系统。",
        "取消设置，或者把 PYTORCH_MPS_HIGH_WATERMARK_RATIO 和 PYTORCH_MPS_LOW_WATERMARK_RATIO 都设到 1 以下，避免用到交换空间。",
        parts={"misread": "torch 会把 {value!r} 读成 0。"},
        seen="PYTORCH_MPS_HIGH_WATERMARK_RATIO 为 0，或是会被 torch 读成 0 的值：一个单词，或用逗号写的小数（torch 只取逗号前的部分）。",
        means="MPS 分配内存没有上限。训练一旦超出内存，就会让系统大量使用交换空间，甚至拖垮系统。",
        do="取消设置，或者把两个水位都设到 1 以下，避免用到交换空间。",
    ),
    "MPS605": Text(
        "PYTORCH_ENABLE_MPS_FALLBACK={value!r} 会开启回退",
        "torch 2.8 及以后的版本，只要不是 0 就当作开启：没有 MPS 实现的算子会在 CPU 上运行，速度慢。",
        "设为 0，遇到这样的算子就会报错。",
        seen="PYTORCH_ENABLE_MPS_FALLBACK 的取值看起来像是关闭，例如 false、no 或空值，torch 却当作开启。",
        means="从 torch 2.8 起，只有 0 才算关闭。没有 MPS 实现的算子会在 CPU 上慢慢运行，而你想要的是报错。",
        do="想让这样的算子报错就设为 0，想要回退就设为 1。",
    ),
    "MPS606": Text(
        "没有 MPS 实现的算子会在 CPU 上运行",
        "设置了 PYTORCH_ENABLE_MPS_FALLBACK，因此缺失的算子不会报错，只是多花时间。",
        seen="PYTORCH_ENABLE_MPS_FALLBACK 的取值会开启回退。",
        means="没有 MPS 实现的算子不会中断训练：由 CPU 代算，多花些时间。",
        do="不需要做什么。想让这样的算子报错，请在启动 Python 之前把它设为 0。",
    ),
    "MPS607": Text(
        "没有 MPS 实现的算子会报错",
        "PYTORCH_ENABLE_MPS_FALLBACK {how}。torch 在加载时读取它：要在启动 Python 之前设置。",
        parts={"not_set": "没有设置", "zero": "为 0", "read_as_zero": "为 {value!r}，会被这个 torch 读成 0"},
        seen="PYTORCH_ENABLE_MPS_FALLBACK 没有设置，或取值会被 torch 当作关闭。",
        means="MPS 上的训练遇到没有 MPS 实现的算子时，会以 NotImplementedError 中断。",
        do="没有遇到就不需要做什么。遇到了，请在启动 Python 之前把它设为 1：torch 在加载时读取它，导入之后再设置不起作用。",
    ),
    "MPS608": Text(
        "设置了 {name}",
        "{effect}",
        "正式训练时请取消设置。",
        parts={
            "rounds_freely": "Metal 可以自由舍入和调整运算顺序：结果与 CPU 的差异更大。",
            "logs_operators": "每个算子都会记日志，训练变慢，计时失真。",
            "traces_operators": "每个算子都会被跟踪，训练变慢，计时失真。",
            "logs_allocations": "每次分配都会记日志，训练变慢，计时失真。",
            "no_cache": "每次 CUDA 内存分配都直接调用驱动，训练变慢。",
        },
        seen="设置了某个变量，使 torch 记日志或跟踪执行过程、不用缓存分配内存，或用较低的精度计算。",
        means="记日志、跟踪、不用缓存分配都会拖慢训练，此时测得的时间偏长。设置 PYTORCH_MPS_FAST_MATH 后，MPS 的结果与 CPU 的差异更大。",
        do="正式训练、测量或对比设备之前，请取消设置。",
    ),
    "MPS609": Text(
        "{name}={value!r} 会让这里所有导入 torch 的程序中止",
        "具体情况见 MPS202。本次体检的测量结果，在取消设置该变量之后成立。",
        "取消设置。",
        seen="设置了这个变量时导入 torch 会失败，去掉就能成功。",
        means="继承了这个变量的训练，到 `import torch` 就会中断。体检去掉它之后继续进行，因此测量结果在取消设置之后成立。",
        do="在 shell 中取消设置，并从设置它的配置或任务脚本里删掉。",
    ),
    "MPS610": Text(
        "{reason}",
        "设置了 {name}={value} 时，MPS 上的第一个算子就会失败。用 CPU 训练不受影响。",
        "取消设置。",
        seen="PYTORCH_MPS_LOG_PROFILE_INFO 或 PYTORCH_MPS_TRACE_SIGNPOSTS 的取值不是 torch 已知选项之和。",
        means="MPS 上的第一个算子就会报错，训练根本无法开始。CPU 上没有变化。",
        do="取消设置；训练用不到它们。",
    ),
}
