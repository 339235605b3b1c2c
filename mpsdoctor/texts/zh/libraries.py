"""8xx: training libraries."""

from mpsdoctor.texts import Text

LINE = "{name} {version}：{how}"
BY_HAND = "这个版本的 {names:and} 不受 `mpsdoctor run` 控制。"

TEXTS = {
    "MPS801": Text(
        "{names:and} 默认用 {picks}，而{source}是 {device}",
        "脚本没有指定设备时，它们会直接用 {picks}，不作任何提示。先写 device, _ = get_optimal_device()，再用下面的写法跟随推荐的设备：{lines}",
        "改用这样的写法，或者用 `mpsdoctor run` 启动训练，不必改脚本。{by_hand}",
        parts={
            "line": LINE,
            "by_hand": BY_HAND,
            "measured": "实测更好的设备",
            "profile": "配置文件推荐的设备",
            "forced": "配置文件强制的设备",
        },
        seen="装了会自己选设备的训练库，而它们选的与这次体检或配置文件推荐的不同。它们只看什么可用，没有一个看什么更快。",
        means="没有指定设备的脚本，会在测出来更慢或算错的设备上训练，而且没有任何提示。",
        do="用 `device, info = get_optimal_device()` 查询一次设备，再按给出的写法交给训练库；或用 `mpsdoctor run -- python train.py`"
        " 启动脚本，它会对训练库隐藏其他设备。docs/recipes 里有每个库的小例子。",
    ),
    "MPS802": Text(
        "{names:and} 默认用 {picks}，而它在这里不能用",
        "脚本没有指定设备时，它们会用 {picks}，因为 torch 说有这个设备；但试用时它失败了，训练的第一步也会失败。先写"
        " device, _ = get_optimal_device()，再用下面的写法跟随推荐的设备：{lines}",
        "改用这样的写法，或者用 `mpsdoctor run` 启动训练，不必改脚本。{by_hand}",
        parts={"line": LINE, "by_hand": BY_HAND},
        seen="torch 提供的某个设备在试用时失败了（虚拟 Mac 上的 MPS 就是这样），而已安装的训练库会自己选它。",
        means="它们的训练会在第一步报错中断，或算出错误的数值。",
        do="按给出的写法为训练库指定设备，或用 `mpsdoctor run` 启动脚本。`mpsdoctor --only build` 会说明这个设备为什么不能用。",
    ),
    "MPS803": Text(
        "{name}={value!r} 会让 Transformers 的 Trainer 把模型和 batch 放到不同设备",
        "它把 accelerate 连同 batch 放到 {to}；模型却去了 Trainer 自己选的 {picks}。",
        "取消设置，并告诉 Trainer：{how}",
        seen="accelerate 会读取的某个变量指定了一个设备，与 Transformers 的 Trainer 自己选的不同。",
        means="单进程时 Trainer 不读取它：模型在一个设备上，batch 在另一个设备上。第一步就会报错，或者每一步都要拷贝。",
        do="取消设置这个变量，并在 Trainer 的参数里指定设备；或用 `mpsdoctor run` 启动脚本，它会把两者都移过去。",
    ),
}
