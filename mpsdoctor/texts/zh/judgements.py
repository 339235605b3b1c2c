"""What a call of an operator came to: the worker names the sentences, of numbers that differ and of calls left out."""

COUNT = "{total} 个元素中有 {count} 个"

PHRASES = {
    "elements_differ": COUNT + "不一致；最大绝对误差 {largest:.3g}，相对误差 {relative:.3g}；最差在 {place}："
    "{actual:.6g}，参考值 {expected:.6g}",
    "exact_elements_differ": COUNT + "不一致，首个在 {place}：{actual:g}，参考值 {expected:g}",
    "elements_not_finite": COUNT + "不是有限值，首个在 {place}",
    "element_not_finite": "{place} 处为 {actual}，而参考值为 {expected}",
    "other_shape": "形状为 {actual}，参考为 {expected}",
    "other_shapes": "各形状为 {actual}，参考为 {expected}",
    "other_dtype": "dtype 为 {actual}，参考为 {expected}",
    "other_number_of_results": "返回 {actual} 个结果，参考为 {expected} 个",
    "result_of_several": "{results} 个结果中的第 {number} 个：{what}",
    "from_run_to_run": "{what}；每次运行的结果不同",
    "random_not_finite": "有 {count} 个随机数不是有限值",
    "random_too_small": "最小的随机数为 {smallest:.6g}，不应小于 {bound:g}",
    "random_too_large": "最大的随机数为 {largest:.6g}，不应大于 {bound:g}",
    "random_mean": "随机数均值为 {mean:.6g}，应接近 {expected:g}",
    "random_deviation": "随机数标准差为 {deviation:.6g}，应接近 {expected:g}",
    "same_draws": "两次抽样完全相同",
    # not judged
    "no_reference": "CPU 上没有参考结果：{error}",
    "asks_for_float64": "样本需要 float64，而 {device} 没有",
    "no_operator_of_torch": "{op} 不是 torch 自带的算子",
    "given_up_on_crash": "没有再试：此前 {op} 的 {count} 次调用使进程崩溃",
    "given_up_on_timeout": "没有再试：此前 {op} 的 {count} 次调用没有结束",
    "helped_by": "设置 {setting} 后在 CPU 上运行；不设置则：{what}",
}
