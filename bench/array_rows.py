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
    for dtype, n in itertools.product(("f64", "complex64", "complex128", "i32"), (64, 256, 1024)):
        rows.append(Row(f"matmul-{dtype}-{n}", f"matmul {n}, {dtype}", f"matmul {dtype}",
                        (8.0 if dtype.startswith("c") else 2.0) * n**3, quick=n == 256))
    rows.append(Row("matmul-f64-m1-n4096-k4096", "linear 1x4096 to 4096, f64", "matmul f64", 2.0 * 4096**2))
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
    shapes = (("f32", 8, 64, 64, 56, 3, 1, "", "3x3"), ("f32", 8, 128, 128, 28, 3, 1, "", "3x3"),
              ("f32", 8, 256, 256, 14, 3, 1, "", "3x3"), ("f32", 8, 64, 256, 56, 1, 1, "", "1x1"),
              ("f32", 8, 3, 64, 224, 7, 2, "", "stem"), ("f32", 8, 128, 128, 56, 3, 1, "-g128", "depthwise"),
              ("f32", 8, 512, 512, 14, 3, 1, "-g512", "depthwise"), ("f32", 8, 128, 128, 28, 3, 1, "-g32", "grouped"),
              ("f32", 8, 128, 128, 28, 3, 1, "-d2", "dilated"), ("f64", 8, 64, 64, 28, 3, 1, "", "f64"))
    for way, layout, (dtype, b, c, f, h, w, t, more, kind) in itertools.product(("fwd", "grad"), ("nchw", "nhwc"),
                                                                               shapes):
        out, groups = (h - 1) // t + 1, int(more[2:]) if more.startswith("-g") else 1
        rows.append(Row(f"conv-{dtype}-{way}-{layout}-b{b}-c{c}-o{f}-h{h}-w{w}-t{t}{more}",
                        f"convolution {'forward' if way == 'fwd' else 'forward and backward'}, {c} to {f}, "
                        f"{h}x{h}, window {w}, stride {t}, {layout.upper()}, {kind} {dtype}", f"convolution {way}",
                        2.0 * b * out * out * f * c / groups * w * w * (1 if way == "fwd" else 3), quick=h == 28))
    return rows


def moves():
    rows = []
    for dtype, axis in itertools.product(("bf16", "f16", "i16", "i8", "f64"), ("last", "first")):
        rows.append(Row(f"cumsum-{dtype}-{axis}", f"cumsum over the {axis} axis, 2048x2048 {dtype}", "scans"))
    rows.append(Row("take-f32", "1 M numbers of 4 M at indices, f32", "indices"))
    rows.append(Row("scatter_add-f32", "1 M numbers added to 4 M at indices, f32", "indices"))
    for dtype, b, n in (("complex64", 4096, 64), ("complex64", 1024, 1000), ("complex64", 1024, 1009),
                        ("complex64", 16, 65536), ("complex64", 1, 1048576), ("complex128", 256, 4096),
                        ("f32", 256, 4096), ("f32", 1024, 1000), ("f64", 256, 4096), ("complex64", 64, 6561)):
        rows.append(Row(f"transforms-{dtype}-b{b}-n{n}", f"FFT, {b}x{n} {dtype}", "fft"))
    return rows


def system():
    return [
        Row("jit_call", "call of a small jitted function", "calls", quick=True, goal=5e-6),
        Row("eager_add", "x + 1 of 4 numbers, evaluated", "calls", quick=True, goal=10e-6),
        Row("compile_llama26", "compiling the training step of a 26-layer Llama", "compile", quick=True, goal=3),
        Row("loop_memory", "growth over 9,000 of 10,000 evaluated loop steps", "memory of loops", quick=True,
            goal=2**20, unit="B"),
    ]


ROWS = tuple(squares() + products() + attentions() + convolutions() + moves() + system())
EAGER = ("sum_all", "sum_last", "sum_first", "max_last", "cumsum_last", "cumsum_first", "sort", "argmax", "transpose",
         "gather_rows", "fft", "eager_add")  # what NumPy has as one function
NUMPY = ("matmul", "cumsum", "take", "scatter_add", "transforms")  # of every dtype that it has


def peers_of(row):
    """Names of the libraries that have the row."""
    if row.name in ("compile_llama26", "loop_memory"):
        return ()
    peers = ["torch", "compile", "jax"]
    if row.name == "eager_add":
        return ("numpy", "torch", "jax")
    if row.name == "jit_call":
        return ("compile", "jax")
    if row.name.startswith("matmul-complex") or row.name.startswith("matmul-i32"):
        peers.remove("compile")  # which hands them to the eager one
    kind = row.name.split("-")
    if row.name in EAGER or (kind[0] in NUMPY and kind[1] != "bf16"):
        peers.insert(0, "numpy")
    return tuple(peers)
