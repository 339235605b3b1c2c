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
    "and see what it takes": "并看看它占用多少",
    "what it takes, and what slows it": "训练占用多少、被什么拖慢",
    "sample a training": "对一次训练采样",
    "look at it, now or later": "当场或事后查看",
    "the summary in words": "文字小结",
    "Show what run --watch samples.": "显示 run --watch 的采样。",
    "Sample memory, load and step times; a summary at the end.": "采样内存、负载和步长；最后给出小结。",
    "Keep the samples.": "保存采样。",
    """Show what run --watch --watch-output FILE sampled, while it runs or afterwards.

In a terminal on a screen that follows the file, elsewhere as the summary in words.

Exit codes: 0 shown, 2 a file that cannot be read or holds no samples.""": """显示 run --watch --watch-output FILE 的采样，训练进行中或结束后都可以。

在终端里显示为跟随文件的界面；不在终端里时输出文字小结。

退出码：0 已显示；2 文件无法读取，或里面没有采样。""",
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
    "Print the JSON Schema of a report, a profile or an answer.": "输出报告、配置文件或各种结果的 JSON Schema。",
    "Print the lines that complete commands and options in a shell.": "输出让 shell 补全命令和选项的脚本。",
    (
        "Print the lines that complete commands and options in a shell.\n\n"
        'In ~/.zshrc: eval "$(mpsdoctor completion zsh)"; in ~/.bashrc the same with bash, which has to be 4.4 or later; in\n'
        "fish: mpsdoctor completion fish > ~/.config/fish/completions/mpsdoctor.fish"
    ): (
        "输出让 shell 补全命令和选项的脚本。\n\n"
        '在 ~/.zshrc 里写 eval "$(mpsdoctor completion zsh)"；在 ~/.bashrc 里同样，把 zsh 换成 bash（需要 4.4 或更高版本）；'
        "fish：mpsdoctor completion fish > ~/.config/fish/completions/mpsdoctor.fish"
    ),
    "Print the JSON Schema of what mpsdoctor writes.": "输出 mpsdoctor 各种输出的 JSON Schema。",
    "Print the help of mpsdoctor, or of a command.": "显示 mpsdoctor 或某个命令的帮助。",
    # profile
    "Show, check, clear or override the profile that trainers read.": "查看、校验、删除或覆盖训练脚本读取的配置文件。",
    "Show, check, clear or override the profile.": "查看、校验、删除或覆盖配置文件。",
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
    """Start a trainer on the profile's device and with its environment variables, without a change of its code.

COMMAND takes the place of this program: signals and its exit code are its own. Every Python that it starts shows
to its script, and to the libraries that the script uses, the chosen device and the CPU alone. A script that names a
device itself gets what it names. A variable that is set already keeps its value. What the profile's settings ask
of a script is told in a line. An error that ends it is explained on stderr, where its cause is known.

With --watch this program stays its parent and passes signals and the exit code on. Each second it samples memory,
swap, load, heat and power, and the training tells its step times and its device's memory. At the end a summary
stands on stderr; --watch-output FILE keeps the samples, for mpsdoctor watch FILE.""": """在配置文件推荐的设备上启动训练，并带上其中的环境变量，不必改代码。

COMMAND 会取代本程序：信号和退出码都是它自己的。它启动的每个 Python，让脚本和所用的库只看到选定的设备和 CPU。脚本自己指定了设备的，
照它指定的来。已经设置的变量保持原值。配置文件里需要脚本自己做的设置，会用一行文字告诉你。
训练因出错而结束时，如果原因已知，会在 stderr 上解释。

带 --watch 时，本程序作为父进程留下，转发信号和退出码。它每秒采样内存、交换、负载、温度和供电，训练则报告步长和设备内存。结束时在 stderr
上给出小结；--watch-output FILE 保存采样，供 mpsdoctor watch FILE 查看。""",
    "Start a trainer on the profile's device.": "在配置文件推荐的设备上启动训练。",
    "on the profile's device": "在推荐的设备上",
    "on another one": "换一个设备",
    "Train on this device, not on the profile's.": "用这个设备训练，而不是配置文件推荐的。",
    "Profile to go by instead of the default one.": "用这个配置文件，而不是默认的。",
    # race
    """Start an unchanged training script on each device, and say which one trains it faster.

COMMAND is started once a device, all at the same time, steered by what it asks torch and by the variables that
training libraries read. Blocks of its steps are timed in turn, its losses are compared, and when the answer is
clear the scripts are ended as Ctrl+C ends them. What the script writes, each run writes: give it a folder that you
can spare. --store NAME: get_optimal_device(workload="NAME") gives the winner from then on.

Exit codes: 0 an answer, 1 a device on which the script does not follow, fails or trains wrong, 2 usage, 130
interrupted, with what is known so far.""": """把训练脚本原样在每个设备上启动，比出哪个设备训练得更快。

COMMAND 在每个设备上各启动一次，同时进行；靠它向 torch 的查询和训练库读取的变量来控制设备。轮流给若干组训练步计时，比对 loss，分出胜负后像
Ctrl+C 那样结束脚本。脚本写什么，每次运行都会写：请给它一个用完可以扔掉的目录。--store NAME：此后 get_optimal_device(workload="NAME")
就会返回胜出的设备。

退出码：0 有结果；1 在某个设备上脚本不听从、失败或训练结果不对；2 用法错误；130 被中断，给出到那时为止的结果。""",
    "Race an unchanged training script on each device.": "把训练脚本原样在各设备上竞速。",
    "which device is faster?": "哪个设备更快？",
    "and keep the answer": "并记住结果",
    "with what it prints": "连同它的输出",
    "any training script, unchanged": "任何训练脚本，不必改动",
    "what an error or a log means": "一段报错或日志是什么意思",
    "what an update changed": "更新之后变了什么",
    "what is recorded as wrong here": "这里有哪些已记录的错误",
    "what training scripts read": "训练脚本读到的内容",
    "the shape of the JSON": "JSON 的结构",
    "Seconds of timing.": "计时的秒数。",
    "Seconds that a script may take to its first training step.": "脚本到第一个训练步最多几秒。",
    "Keep the winner in the profile as NAME.": "把胜出的设备以 NAME 记入配置文件。",
    # fleet
    """Examine many machines, and say what they tell together: who did not answer, what differs, who is slow.

torchrun starts it on all of them and gathers: torchrun --nnodes N --node-rank I --master-addr HOST -m
mpsdoctor.fleet [options of a check-up] [--timeout S]. Where machines do not reach each other, or under srun, ssh or
CI, make a report on each and merge them.""": """检查多台机器，并说明合起来看的结果：谁没有回答，哪里不一致，谁慢。

用 torchrun 在所有机器上启动并收集：torchrun --nnodes N --node-rank I --master-addr HOST -m
mpsdoctor.fleet [体检的选项] [--timeout S]。机器之间连不上，或用 srun、ssh、CI 时，在每台机器上各做一份报告，再合并。""",
    "Many machines in one report, to be trained on together.": "把一起训练的多台机器合成一份报告。",
    "gather": "收集",
    "or on each machine,": "或者在每台机器上，",
    "and then once": "然后运行一次",
    "what changed": "有哪些变化",
    "many machines in one report": "多台机器合成一份报告",
    """Make one report of the reports of many machines.

REPORT.json is what mpsdoctor --json prints, the n-th one becoming rank n, or what a machine kept of itself when
torchrun gathered, or a whole report of many machines. --baseline OLD is such a whole report.

Exit codes: 0 no finding at or above --fail-on, 1 there is one, 2 a file that is no report, 3 a check failed.""": """把多台机器的报告合成一份。

REPORT.json 是 mpsdoctor --json 的输出，第 n 份作为 rank n；也可以是 torchrun 收集时机器为自己保存的报告，或一份多台机器的完整报告。--baseline OLD
就是这样一份完整报告。

退出码：0 没有达到 --fail-on 级别的诊断；1 有；2 文件不是报告；3 某个检查项出错。""",
    "Make one report of the reports of many machines.": "把多台机器的报告合成一份。",
    "Name machines that changed since OLD.": "指出与 OLD 相比有变化的机器。",
    """Examine all machines that torchrun starts this on, and print one report of them (rank 0 does).

One process a machine makes a check-up, the others end at once. A machine that dies, hangs or is late is named, and
the reports of the others are there. Each machine writes its profile, and keeps its report for mpsdoctor fleet
merge.

Exit codes of rank 0: 0 no finding at or above --fail-on, 1 there is one, 2 usage, 3 a check failed, 130
interrupted, with what was there by then.""": """检查 torchrun 启动它的所有机器，由 rank 0 输出一份总报告。

每台机器由一个进程做体检，其余的立即结束。死掉、挂住或超时的机器会被指出，其他机器的报告不受影响。每台机器都会写自己的配置文件，并保存自己的报告，供
mpsdoctor fleet merge 使用。

rank 0 的退出码：0 没有达到 --fail-on 级别的诊断；1 有；2 用法错误；3 某个检查项出错；130 被中断，输出到那时为止的结果。""",
    "Seconds that a machine is waited for (quick 120, standard 300, thorough 900).": "每台机器最多等多少秒（quick 120，standard 300，thorough 900）。",
    "Where each keeps its report.": "各机器把自己的报告保存在哪里。",
    "on mac1,": "在 mac1 上，",
    "on mac2": "在 mac2 上",
    # compare
    """Tell what changed between two reports of mpsdoctor --json.

Versions, verdict, findings, operators, known issues and speed. A training is faster or slower where the interval
of the ratio leaves out 1 and reaches beyond ±5 %; ~ stands for everything else. Speeds are not compared where that
would mislead (another machine, another budget, a disturbed run), and the reason is told.

Exit codes: 0 nothing is worse, 1 something is, 2 a file that is no report.""": """比较 mpsdoctor --json 的两份报告，说明有什么变化。

包括版本、结论、诊断、算子、已知问题和速度。比值的区间不含 1、并且超出 ±5% 时，才算训练变快或变慢；其余都记作 ~。机器不同、预算不同或受到干扰时，
比较速度会误导，就不比较，并说明原因。

退出码：0 没有变差；1 有变差的；2 文件不是报告。""",
    "Tell what changed between two reports.": "说明两份报告之间的变化。",
    "before an update": "更新之前",
    "and after it": "更新之后",
    "what it changed": "变了什么",
    "as a page": "输出为网页",
    "Output format.": "输出格式。",
    # known-issues
    """Try known issues of PyTorch on each device: small calls that come out wrong where an issue is present.

Each is judged against the CPU in double precision, in a process that may die. An issue that is recorded for this
torch, macOS and chip is tried before the others. --export prints a JSON line for each, without anything that
names you or the machine.""": """在每个设备上实测 PyTorch 的已知问题：用小的调用来试，存在问题时它就会出错。

每个都以 CPU 的双精度结果为准，在崩溃也无妨的进程里运行。对当前 torch、macOS 和芯片有记录的问题先试。--export 为每个问题输出一行 JSON，
不含能识别你或这台机器的信息。""",
    "Try what is recorded as wrong for this torch, macOS and chip.": "实测当前 torch、macOS 和芯片上已知问题。",
    "try them on each device": "在每个设备上实测",
    "what is recorded there": "那里有哪些记录",
    "rows for the record": "输出用于更新记录的内容",
    "Tell what is recorded; try nothing.": "只列出记录，不实测。",
    "Try, and print anonymous rows of what came out.": "实测，并以匿名的形式输出结果。",
    "Try what may outlast its process, too.": "影响可能超出进程的，也试。",
    "With --list: for this torch.": "配合 --list：针对这个 torch。",
    "With --list: for this macOS.": "配合 --list：针对这个 macOS。",
    "With --list: for this chip.": "配合 --list：针对这个芯片。",
    # explain
    """Explain an error, a log, a crash report or an environment; or a finding, a cause or a known issue by its name.

FILE, or - for what is pasted, is any text: a traceback, a log of a CI job, a crash report of macOS (.ips, .panic),
what collect_env prints, or a description in words. The answer names causes with how sure they are, the lines that
gave them away, and what to do; or says that none is known. CODE is as a report prints it, MPS203 for one; ID is
that of a known issue. Without it, all codes and causes are listed.

Codes that a third-party check brings are not known here: their texts are in its code, which is imported for a
check-up alone, in a process of its own. Its report carries the texts.""": """解释一段报错、日志、崩溃报告或环境信息；或按名字解释一条诊断、一个原因或一个已知问题。

FILE（- 表示粘贴的内容）可以是任何文本：traceback、CI 日志、macOS 的崩溃报告（.ips、.panic）、collect_env 的输出，或用文字描述的现象。
回答会列出可能的原因及置信度、依据是哪几行、该怎么办；或者说明没有已知的原因。CODE 就是报告里的代码，例如 MPS203；ID 是已知问题的 id。
不写则列出所有代码和原因。

第三方检查项的代码这里查不到：它们的文字在各自的代码里，只有体检时才会在独立的进程里导入。它们的报告里带有文字。""",
    "Explain an error or a log, a finding, a cause or a known issue.": "解释报错或日志、诊断、原因或已知问题。",
    "A log of a run that went well, to compare with.": "正常运行时的日志，用来对比。",
    "Print one JSON document.": "输出一个 JSON 文档。",
    # bench
    """Time training alone: small models on every device, or your own training step.

--step: FUNC(device) or FUNC() of your file returns a function that makes one training step, alone or with the
number of samples it takes, or a module and example inputs. It is called in a process of its own for each
device, which take turns. --store NAME: get_optimal_device(workload="NAME") gives the winner from then on.
Nothing else is written to the profile.
--find-batch: FUNC(device, batch_size) is called with sizes that double, until one takes more memory than the device
has without swapping; a size that dies costs that size. It tells the largest that fits and the fastest.
--export: a JSON line for each operator and workload that was timed, without anything that names you or the
machine.""": """只给训练计时：在每个设备上训练小模型，或运行你自己的训练步。

--step：你文件里的 FUNC(device) 或 FUNC() 返回一个执行一步训练的函数（可以附上它处理的样本数），或返回一个模块和示例输入。每个设备各在独立的
进程里运行，轮流进行。--store NAME：此后 get_optimal_device(workload="NAME") 就会返回胜出的设备。除此之外不写配置文件。
--find-batch：用不断加倍的 batch 大小调用 FUNC(device, batch_size)，直到占用的内存超过设备不发生交换时可用的量；崩溃只影响当次的大小。
它给出放得下的最大 batch 和最快的 batch。
--export：为计时的每个算子和模型输出一行 JSON，其中没有任何能认出你或这台机器的内容。""",
    "Time training alone: small models, or your own step.": "只给训练计时：小模型，或你自己的训练步。",
    "small models": "小模型",
    "your step on each device": "在各设备上跑你的训练步",
    "and its winner kept": "并记住胜出的设备",
    "Time your own training step instead.": "改为给你自己的训练步计时。",
    "Time, and print anonymous rows of what came out.": "计时，并按行输出匿名的结果。",
    "anonymous rows": "匿名的数据行",
    "which batch sizes fit?": "哪些 batch 大小放得下？",
    "Find the step's largest batch size that fits, and the fastest.": "找出这一步放得下的最大 batch 和最快的 batch。",
    "Keep the answer of --step in the profile as NAME.": "把 --step 的结果以 NAME 记入配置文件。",
    "Seconds that one step may take, on any device.": "一步在任何设备上最多几秒。",
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
    "Predict for this macOS, not for the present one.": "推断这个版本的 macOS，而不是当前的。",
    "Predict for this torch, not for the installed one.": "推断这个版本的 torch，而不是已安装的。",
}
