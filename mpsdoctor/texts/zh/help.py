"""The help of the commands, by the English sentence: docstrings, the texts of options, what the examples do."""

HELP = {
    # mpsdoctor
    """Find out which device PyTorch should train on here, and whether it computes right.

Without a command: a check-up, in a terminal on a screen with tabs (? for help there, q to quit), elsewhere, or
with --format text, as text. It writes the profile that get_optimal_device() reads.

Exit codes: 0 fine, 1 a finding at or above --fail-on, 2 usage or configuration, 3 mpsdoctor or a check failed,
130 interrupted.""": """找出 PyTorch 在这台机器上该用哪个设备训练，以及它算得对不对。

不带命令：做一次体检。在终端里显示为带标签页的界面（按 ? 看帮助，按 q 退出）；不在终端里，或带 --format text 时，输出文本。体检会写入
get_optimal_device() 所读取的配置文件。

退出码：0 没有问题；1 有达到 --fail-on 级别的诊断；2 用法或配置错误；3 mpsdoctor 或某个检查项出错；130 被中断。""",
    "Examples:": "例如：",
    "measure this machine, on a screen": "测量这台机器，显示为界面",
    "ten seconds, as text": "十秒，输出文本",
    "a page to mail": "可以发邮件的网页",
    "your own training step": "你自己的训练步",
    "does it run right on MPS?": "在 MPS 上跑得对吗？",
    "train with the profile": "按配置文件训练",
    "what a finding means": "一条诊断是什么意思",
    "Print one JSON document (same as --format json).": "输出一个 JSON 文档（同 --format json）。",
    "Report format.": "报告格式。",
    "File for the --format at the same place; - is stdout.": "对应位置的 --format 写到哪个文件；- 表示 stdout。",
    "Run these checks and what they need.": "只运行这些检查项及其依赖。",
    "Leave these checks out.": "跳过这些检查项。",
    "Examine these devices.": "只检查这些设备。",
    "How long to measure: about 10 s, 1 min, 5 min.": "测量多久：约 10 秒、1 分钟、5 分钟。",
    "Examine another interpreter (Python 3.9 or later).": "检查另一个解释器（Python 3.9 或更高）。",
    "Exit with 1 on a finding this grave.": "有这个级别的诊断时以 1 退出。",
    "Profile to write instead of the default one.": "把配置文件写到这里，而不是默认位置。",
    "Write no profile.": "不写配置文件。",
    "No colours (also: NO_COLOR).": "不用颜色（也可用 NO_COLOR）。",
    "Show more.": "显示更多。",
    "Show less; no progress.": "显示更少；不显示进度。",
    "Show the version and exit.": "显示版本并退出。",
    "Show this message and exit.": "显示帮助并退出。",
    "Language of what people read (also: MPSDOCTOR_LANG, the locale).": "给人看的内容用哪种语言（也可用 MPSDOCTOR_LANG 或系统语言）。",
    # checks, schema, help
    "List the checks: id, cost, what it needs, where it comes from, title.": "列出检查项：id、耗时、依赖、来源、标题。",
    "List the checks, with what they need and cost.": "列出检查项及其依赖和耗时。",
    "Print the JSON Schema of the report or of the profile.": "输出报告或配置文件的 JSON Schema。",
    "Print the help of mpsdoctor, or of a command.": "显示 mpsdoctor 或某个命令的帮助。",
    # profile
    "Show, check, clear or override the profile that trainers read.": "查看、校验、删除或覆盖训练脚本读取的配置文件。",
    "Print where the profile is, or would be.": "输出配置文件所在（或将在）的位置。",
    "Show the profile, and what changed since it was made.": "显示配置文件，以及生成之后有什么变化。",
    "Print the file's content.": "输出文件内容。",
    "Check that a file is a profile as trainers read it; exit with 2 and say why if not.": (
        "校验文件是不是训练脚本能读的配置文件；不是则说明原因，以 2 退出。"
    ),
    "Check that a file is a profile as trainers read it.": "校验文件是不是训练脚本能读的配置文件。",
    "Remove the profile.": "删除配置文件。",
    "Print the profile's environment variables as shell exports.": "以 shell export 的形式输出配置文件里的环境变量。",
    "Make trainers use MPS whatever was measured, until torch changes; or stop doing so.": (
        "强制训练脚本用 MPS，直到 torch 版本改变；或停止强制。"
    ),
    "Keep it on when torch changes.": "torch 版本改变后仍然有效。",
    # run
    """Start a trainer with the profile's environment variables, set before it can import torch.

A variable that is set already keeps its value. What the profile's settings ask of a script is told in a line.""": """带着配置文件里的环境变量启动训练脚本，这些变量在它导入 torch 之前就已设置好。

已经设置的变量保持原值。配置文件里需要脚本自己做的设置，会用一行文字告诉你。""",
    "Start a trainer with the profile's environment variables.": "带着配置文件里的环境变量启动训练脚本。",
    # bench
    """Time training alone: small models on every device, or your own training step.

--step: FUNC(device) or FUNC() of your file returns a function that makes one training step, alone or with the
number of samples it takes, or a module and example inputs. It is called in a process of its own for each
device, which take turns. --store NAME: get_optimal_device(workload="NAME") gives the winner from then on.
Nothing else is written to the profile.""": """只给训练计时：在每个设备上训练小模型，或运行你自己的训练步。

--step：你文件里的 FUNC(device) 或 FUNC() 返回一个执行一步训练的函数（可以附上它处理的样本数），或返回一个模块和示例输入。每个设备各在独立的
进程里运行，轮流进行。--store NAME：此后 get_optimal_device(workload="NAME") 就会返回胜出的设备。除此之外不写配置文件。""",
    "Time training alone: small models, or your own step.": "只给训练计时：小模型，或你自己的训练步。",
    "small models": "小模型",
    "your step on each device": "在各设备上跑你的训练步",
    "and its winner kept": "并记住胜出的设备",
    "Time your own training step instead.": "改为给你自己的训练步计时。",
    "Keep the winner of --step in the profile as NAME.": "把 --step 胜出的设备以 NAME 记入配置文件。",
    "Seconds that one step may take, on any device.": "一步在任何设备上最多几秒。",
    # explain
    """Explain a finding: what was seen, what it means for training, and what to do.

CODE is as a report prints it, MPS203 for one. Without it, all codes are listed.

Codes that a third-party check brings are not known here: their texts are in its code, which is imported for a
check-up alone, in a process of its own. Its report carries the texts.""": """解释一条诊断：看到了什么，对训练意味着什么，该怎么办。

CODE 就是报告里的代码，例如 MPS203。不写则列出全部。

第三方检查项的代码这里查不到：它们的文字在各自的代码里，只有体检时才会在独立的进程里导入。它们的报告里带有文字。""",
    "Explain a finding, or list them all.": "解释一条诊断，或列出全部。",
    # ops
    """Probe operators alone: which are right, wrong, missing or deadly on each device.

Without an option: the catalogue, as far as --budget goes. --op: every variant, dtype and direction of some
operators. --all: every sample of PyTorch's OpInfo database. --model: FUNC() or FUNC(device) of your file returns a
module and example inputs, or a function that makes one training step; each operator it calls is replayed on
each device.
--predict: what MPS has for these operators, from PyTorch's declarations, without a Mac.""": """只探测算子：在每个设备上，哪些算得对、算错、缺失，或使进程崩溃。

不带选项：算子目录，按 --budget 能测多少测多少。--op：指定算子的每种变体、dtype 和方向。--all：PyTorch 的 OpInfo 数据库里的全部样本。
--model：你文件里的 FUNC() 或 FUNC(device) 返回一个模块和示例输入，或返回一个执行一步训练的函数；它调用的每个算子都会在每个设备上重放。
--predict：不需要 Mac，根据 PyTorch 的声明推断 MPS 支持其中哪些算子。""",
    "Probe operators alone: which are right, wrong or missing.": "只探测算子：哪些算得对、算错或缺失。",
    "in every layout and dtype": "每种布局和 dtype",
    "those of your training step": "你的训练步用到的算子",
    "without a Mac": "不需要 Mac",
    "These operators alone: aten::cumsum or sum.": "只测这些算子：aten::cumsum 或 sum。",
    "PyTorch's own operator database (needs numpy, expecttest).": "PyTorch 自带的算子数据库（需要 numpy、expecttest）。",
    "The operators of your own training step.": "你自己的训练步用到的算子。",
    "Seconds that the step of --model may take on the CPU.": "--model 的训练步在 CPU 上最多几秒。",
    "Tell from declarations, on any machine.": "根据声明推断，在任何机器上都行。",
    "Predict for this torch, not for the installed one.": "推断这个版本的 torch，而不是已安装的。",
}
