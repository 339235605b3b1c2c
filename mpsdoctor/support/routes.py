"""Where a run on the CPU takes another way than MPS, and the dtypes that MPS lacks."""

from __future__ import annotations

# An operator of the CPU's own way, and the operators that MPS calls in its place; none of them where what MPS does
# is made of elementary operators that it has had since torch 2.0.
ROUTES: dict[str, tuple[str, ...]] = {
    # aten::convolution chooses its kernel by device, before any dispatch key is looked at
    "convolution": ("_mps_convolution",),
    "convolution_backward": ("mps_convolution_backward",),
    # nn.LSTM: oneDNN's layer on the CPU, one graph for all layers on MPS
    "mkldnn_rnn_layer": ("_lstm_mps",),
    "mkldnn_rnn_layer_backward": ("lstm_mps_backward",),
    # scaled_dot_product_attention asks the device; MPS takes plain products and softmax, or a kernel of its own
    "_scaled_dot_product_flash_attention_for_cpu": (),
    "_scaled_dot_product_flash_attention_for_cpu_backward": (),
    # attention took the plain softmax before torch 2.5, and what it does besides is elementary
    "_safe_softmax": ("_softmax",),
    # the fast path of nn.TransformerEncoderLayer and nn.MultiheadAttention is for CPU and CUDA alone
    "_transformer_encoder_layer_fwd": (),
    "_native_multi_head_attention": (),
}

# Operators of torch's own optimizers, by the torch from which on they call them; before, they take others that MPS has
# had since 2.0 (torch/optim/adam.py, adamw.py and others of the wheels 2.0 and 2.1).
OPTIMIZERS_SINCE = {"lerp_": "2.1"}

# (composite, part): the operator in between, which C++ calls where no mode sees it. Up to torch 2.13 it matters:
# linalg_svd always runs on the CPU there, while _linalg_svd called by others has no kernel.
BETWEEN: dict[tuple[str, str], str] = {("svd", "_linalg_svd"): "linalg_svd"}

# Composites that compute thresholds in float64 on the CPU and in float32 on MPS.
SINGLE = frozenset({"linalg_matrix_rank", "linalg_pinv", "pinverse"})

# Nodes of the autograd graph that accumulate in float64 on the CPU and in float32 on MPS.
SINGLE_NODES = frozenset({"RenormBackward0"})

# Kernels for sparse tensors alone, which the letters do not speak of (torch 2.13).
SPARSE = frozenset({
    "_coalesce", "_coalesced_", "_indices", "_nnz", "_sparse_broadcast_to", "_sparse_coo_tensor_with_dims",
    "_sparse_coo_tensor_with_dims_and_tensors", "_sparse_log_softmax", "_sparse_log_softmax_backward_data",
    "_sparse_mask_projection", "_sparse_softmax", "_sparse_softmax_backward_data", "_sparse_sparse_matmul",
    "_sparse_sum_backward", "_to_dense", "_values", "copy_sparse_to_sparse_", "native_norm", "sparse_mask",
    "sparse_resize_", "sparse_resize_and_clear_",
})  # fmt: skip

# Dtypes that MPS lacks, by the torch from which on it has them, None for none; from the messages in the binaries for
# macOS ("BFloat16 is not supported on MPS" and "Complex types are unsupported on MPS" until 2.2) and from reports
# (pytorch#148420 for float8, of which 2.15 takes one kind in scaled products). Quantized tensors have no kernels there.
DTYPES: dict[str, str | None] = {
    "float64": None,
    "complex128": None,
    "bfloat16": "2.3",
    "complex32": "2.3",
    "complex64": "2.3",
    "qint8": None,
    "quint8": None,
    "qint32": None,
    "quint4x2": None,
    "quint2x4": None,
    "float8_e4m3fn": "2.15",
    "float8_e4m3fnuz": None,
    "float8_e5m2": None,
    "float8_e5m2fnuz": None,
    "float8_e8m0fnu": None,
}
