"""Products of matrices, linear algebra, Fourier transforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .entry import COMMON, CORE, NUMBERS, SINGLE, TAIL, Entry, Options, Tolerance, Traits, entry, same, w, x

if TYPE_CHECKING:
    from typing_extensions import Unpack

HALF_PRODUCTS: Tolerance = {"slack": 4, "because": "sums of products; half types may accumulate in blocks"}
SOLVES: Traits = {"slack": 40, "because": "elimination multiplies rounding errors", "dtypes": SINGLE}
FOURIER: Traits = {"slack": 8, "because": "log n stages round", "dtypes": SINGLE}
STFT: Traits = {**FOURIER, "slack": 16}


def product(op: str, *args: Any, **options: Unpack[Options]) -> Entry:
    widened: Options = {**HALF_PRODUCTS, **options}
    return same(op, "torch", *args, **widened)


def product_case(op: str, case: str, *args: Any, **traits: Unpack[Traits]) -> Entry:
    return product(op, *args, case=case, **traits)


def linalg(op: str, *args: Any, **options: Unpack[Options]) -> Entry:
    return solve(f"linalg_{op}", f"torch.linalg.{op}", *args, **options)


def solve(op: str, call: str, *args: Any, **options: Unpack[Options]) -> Entry:
    widened: Options = {**SOLVES, **options}
    return entry(op, call, *args, **widened)


def fourier(op: str, *args: Any, **options: Unpack[Options]) -> Entry:
    widened: Options = {**FOURIER, **options}
    return entry(f"fft_{op}", f"torch.fft.{op}", *args, **widened)


ENTRIES: list[Entry] = [
    product("mm", x(5, 7), w(7, 3), rank=CORE, shapes=("empty",)),
    product("bmm", x(3, 4, 5), x(3, 5, 2), rank=CORE, shapes=("empty",)),
    product("matmul", x(2, 3, 4, 5), w(5, 6), rank=CORE, shapes=("empty",)),
    product_case("matmul", "batched", x(2, 3, 4, 5), x(2, 3, 5, 4), rank=CORE),
    product_case("matmul", "broadcast", x(2, 1, 4, 5), w(3, 5, 2), rank=COMMON),
    product_case("matmul", "vector", x(4, 5), w(5), rank=COMMON),
    product_case("matmul", "large", x(65, 130), w(130, 33), rank=CORE, slack=8, because="130 products a sum"),
    product_case("matmul", "integer", x(4, 5), w(5, 3), dtypes=("int64",), backward=False),
    product("mv", x(5, 7), w(7), rank=COMMON),
    product("dot", x(9), x(9), rank=COMMON, dtypes=NUMBERS),
    product("vdot", x(9), x(9)),
    product("inner", x(4, 5), w(3, 5)),
    product("outer", x(4), w(5), rank=COMMON),
    product("addmm", w(3), x(5, 7), w(7, 3), rank=CORE, kw={"beta": 0.5, "alpha": 1.5}, shapes=("empty",)),
    product("addmv", x(5), x(5, 7), w(7), inplace="Tensor.addmv_"),
    product("addr", x(4, 5), x(4), w(5), inplace="Tensor.addr_"),
    product("addbmm", w(4, 2), x(3, 4, 5), x(3, 5, 2), inplace="Tensor.addbmm_", slack=12),
    product("baddbmm", x(3, 4, 2), x(3, 4, 5), x(3, 5, 2), rank=COMMON, inplace="Tensor.baddbmm_"),
    entry("einsum", "torch.einsum", "bij,bjk->bik", x(3, 4, 5), x(3, 5, 2), rank=CORE, **HALF_PRODUCTS),
    entry("einsum", "torch.einsum", "bhid,bhjd->bhij", x(2, 3, 4, 5), x(2, 3, 6, 5), case="attention", rank=COMMON,
          **HALF_PRODUCTS),
    entry("linear", "F.linear", x(4, 5), w(3, 5), w(3), rank=CORE, shapes=("empty", "5d"), **HALF_PRODUCTS),
    entry("linear", "F.linear", x(2, 4, 5), w(3, 5), case="no_bias", rank=CORE, **HALF_PRODUCTS),
    entry("linear", "F.linear", x(80, 1, 2), w(192, 2), w(192), case="narrow", rank=CORE, **HALF_PRODUCTS),
    entry("bilinear", "F.bilinear", x(4, 5), x(4, 6), w(3, 5, 6), w(3), slack=16, because="30 products a sum"),
    product("tensordot", x(3, 4, 5), w(4, 5, 2), kw={"dims": 2}, slack=8),
    product("kron", x(2, 3), w(3, 2)),
    linalg("multi_dot", [x(3, 4), w(4, 5), w(5, 2)], slack=16),
    product("cross", x(4, 3), x(4, 3), kw={"dim": -1}),
    product("cdist", x(5, 3), w(4, 3), dtypes=SINGLE),
    product("trace", x(5, 5), dtypes=("float32", "int64")),
    product("tril", x(5, 6), rank=CORE, dtypes=NUMBERS, inplace="Tensor.tril_", shapes=("5d",)),
    product("triu", x(5, 6), 1, rank=CORE, dtypes=NUMBERS, inplace="Tensor.triu_", shapes=("5d",)),
    product("diag", x(5), rank=TAIL, dtypes=NUMBERS),
    product("diagonal", x(4, 5), rank=COMMON, dtypes=NUMBERS),
    product("diag_embed", x(4, 5), dtypes=NUMBERS),
    product("block_diag", x(2, 3), w(3, 2), dtypes=NUMBERS),
    entry("cosine_similarity", "F.cosine_similarity", x(4, 6), x(4, 6), rank=COMMON, **HALF_PRODUCTS),
    entry("pairwise_distance", "F.pairwise_distance", x(4, 6), x(4, 6), **HALF_PRODUCTS),
    # values that do not depend on signs or order a library may choose freely
    linalg("cholesky", x(2, 4, 4, fill="definite"), rank=COMMON),
    linalg("inv", x(2, 4, 4, fill="invertible"), rank=COMMON),
    linalg("solve", x(2, 4, 4, fill="invertible"), x(2, 4, 2), rank=COMMON),
    linalg("det", x(2, 4, 4, fill="invertible")),
    linalg("slogdet", x(2, 4, 4, fill="invertible")),
    linalg("svdvals", x(2, 4, 3)),
    linalg("eigvalsh", x(2, 4, 4, fill="definite")),
    linalg("pinv", x(2, 4, 4, fill="invertible"), slack=100),
    linalg("matrix_power", x(2, 4, 4), 3),
    linalg("matrix_norm", x(2, 4, 4)),
    linalg("matrix_exp", x(2, 4, 4, fill="unit")),
    linalg("lstsq", x(2, 5, 3), x(2, 5, 2), backward=False),
    solve("linalg_lu", "calls.lu_product", x(2, 4, 4, fill="invertible")),
    solve("linalg_qr", "calls.qr_product", x(2, 4, 3)),
    solve("linalg_svd", "calls.svd_product", x(2, 4, 3), slack=100),
    solve("linalg_eigh", "calls.eigh_product", x(2, 4, 4, fill="definite"), slack=100),
    solve("linalg_solve_triangular", "torch.linalg.solve_triangular", x(2, 4, 4, fill="triangular"), x(2, 4, 2),
          kw={"upper": False}),
    solve("cholesky_solve", "torch.cholesky_solve", x(2, 4, 2), x(2, 4, 4, fill="triangular")),
    fourier("fft", x(3, 8), rank=COMMON),
    fourier("ifft", x(3, 8)),
    fourier("rfft", x(3, 8), rank=COMMON),
    fourier("irfft", x(3, 8)),
    fourier("fft2", x(2, 4, 6)),
    fourier("rfft2", x(2, 4, 6)),
    fourier("irfft2", x(2, 4, 6)),
    fourier("fftn", x(2, 3, 4)),
    fourier("fftshift", x(3, 8)),
    fourier("hfft", x(3, 5)),
    entry("stft", "calls.stft", x(2, 64), w(16, fill="positive"), **STFT),
]  # fmt: skip
