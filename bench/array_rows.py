# SPDX-License-Identifier: Apache-2.0
"""The rows of bench/arrays.py by name: the same names mean the same work in array_bench and in peers/array_peers.py."""
import dataclasses
import itertools


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    title: str
    group: str
    flops: float = 0  # of one call; 0: the row is shown in time
    quick: bool = False
    goal: float = 0  # of rows that no peer has: at most this much, in `unit`
    unit: str = "s"
    wanted: float = 1.0  # ratio to the best peer


SQUARE = "2048x2048 f32"


def squares():
    chain, reduction, memory = "chains", "reductions", "memory"
    return [
        Row("gelu", f"gelu(x + b), {SQUARE}", chain, quick=True),
        Row("tanh_gelu", f"tanh-gelu, {SQUARE}", chain, quick=True),
        Row("silu_mul", f"silu(x) y, {SQUARE}", chain, quick=True),
        Row("chain5", f"tanh(2 x + y) z - x, {SQUARE}", chain, quick=True),
        Row("softmax", f"softmax, {SQUARE}", "norms", quick=True),
        Row("layer_norm", f"layer norm, {SQUARE}", "norms", quick=True),
        Row("rms_norm", f"RMS norm, {SQUARE}", "norms", quick=True),
        Row("rms_norm_grad", f"RMS norm, forward and backward, {SQUARE}", "norms", quick=True),
        Row("cross_entropy_grad", "cross-entropy, forward and backward, 2048x32000 f32", "losses", quick=True),
        Row("adamw", "AdamW, 4 M f32", "optimizer", quick=True),
        Row("sum_all", f"sum, {SQUARE}", reduction, quick=True),
        Row("sum_last", f"sum over the last axis, {SQUARE}", reduction),
        Row("sum_first", f"sum over the first axis, {SQUARE}", reduction),
        Row("max_last", f"max over the last axis, {SQUARE}", reduction),
        Row("argmax", f"argmax over the last axis, {SQUARE}", reduction, quick=True),
        Row("cumsum_last", f"cumsum over the last axis, {SQUARE}", "scans", quick=True),
        Row("cumsum_first", f"cumsum over the first axis, {SQUARE}", "scans", quick=True),
        Row("sort", f"sort, {SQUARE}", "sort", quick=True),
        Row("transpose", f"transpose, {SQUARE}", memory, quick=True),
        Row("gather_rows", "gather of 2048 rows from 32000x2048 f32", memory, quick=True),
        Row("fft", "FFT, 256x4096 complex64", "fft", quick=True),
    ]


def products():
    rows = []
    for dtype, n in itertools.product(("f32", "bf16"), (64, 128, 256, 512, 1024, 2048, 4096)):
        rows.append(Row(f"matmul-{dtype}-{n}", f"matmul {n}, {dtype}", f"matmul {dtype}", 2.0 * n**3,
                        quick=n in (256, 1024), wanted=0.95))
    for dtype, (m, n, k) in itertools.product(("f32", "bf16"), ((512, 3200, 3200), (512, 8640, 3200),
                                                                (512, 3200, 8640), (1, 8640, 3200))):
        rows.append(Row(f"matmul-{dtype}-m{m}-n{n}-k{k}", f"linear {m}x{k} to {n}, {dtype}", f"matmul {dtype}",
                        2.0 * m * n * k, wanted=0.95))
    return rows


def attentions():
    rows = []
    sizes = ((1, 128), (8, 128), (1, 1024), (4, 1024), (1, 4096))
    for dtype, way, (b, s), d in itertools.product(("f32", "bf16"), ("fwd", "grad"), sizes, (64, 100, 128)):
        forward = 4.0 * b * 8 * s * s * d / 2  # half of the scores are masked
        rows.append(Row(f"attention-{dtype}-{way}-b{b}-s{s}-d{d}",
                        f"attention {'forward' if way == 'fwd' else 'forward and backward'}, B {b} S {s} D {d}, {dtype}",
                        f"attention {way} {dtype}", forward * (1 if way == "fwd" else 3.5),
                        quick=(b, s, d) in ((8, 128, 100), (1, 1024, 64)), wanted=1.5))
    return rows


def convolutions():
    rows = []
    shapes = ((8, 64, 64, 56, 3, 1), (8, 128, 128, 28, 3, 1), (8, 256, 256, 14, 3, 1), (8, 64, 256, 56, 1, 1),
              (8, 3, 64, 224, 7, 2))
    for way, layout, (b, c, f, h, w, t) in itertools.product(("fwd", "grad"), ("nchw", "nhwc"), shapes):
        out = (h + w // 2 * 2 - w) // t + 1
        rows.append(Row(f"conv-f32-{way}-{layout}-b{b}-c{c}-o{f}-h{h}-w{w}-t{t}",
                        f"convolution {'forward' if way == 'fwd' else 'forward and backward'}, {c} to {f}, "
                        f"{h}x{h}, window {w}, stride {t}, {layout.upper()}", f"convolution {way}",
                        2.0 * b * out * out * f * c * w * w * (1 if way == "fwd" else 3), quick=h == 28))
    return rows


def system():
    return [
        Row("jit_call", "call of a small jitted function", "calls", quick=True, goal=5e-6),
        Row("eager_add", "x + 1 of 4 numbers, evaluated", "calls", quick=True, goal=10e-6),
        Row("compile_llama26", "compiling the training step of a 26-layer Llama", "compile", quick=True, goal=3),
        Row("loop_memory", "growth over 9,000 of 10,000 evaluated loop steps", "memory of loops", quick=True,
            goal=2**20, unit="B"),
    ]


ROWS = tuple(squares() + products() + attentions() + convolutions() + system())
EAGER = ("sum_all", "sum_last", "sum_first", "max_last", "cumsum_last", "cumsum_first", "sort", "argmax", "transpose",
         "gather_rows", "fft", "eager_add")  # what NumPy has as one function


def peers_of(row):
    """Names of the libraries that have the row."""
    if row.name in ("compile_llama26", "loop_memory"):
        return ()
    peers = ["torch", "compile", "jax"]
    if row.name == "eager_add":
        return ("numpy", "torch", "jax")
    if row.name == "jit_call":
        return ("compile", "jax")
    if row.name in EAGER or row.name.startswith("matmul-f32"):
        peers.insert(0, "numpy")
    return tuple(peers)
