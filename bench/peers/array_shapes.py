# SPDX-License-Identifier: Apache-2.0
"""What each row of array_bench reads, for every library: one table of sizes."""
from array_peers import size_of

N = 2048
MANY, SOME = 4 << 20, 1 << 20


class Below:
    """Whole numbers below a limit, in place of floats."""

    def __init__(self, limit, count):
        self.limit, self.count = limit, count


SHAPES = {
    "rms_norm_grad": [(N, N), (N,), (N, N)],
    "cross_entropy_grad": [(N, 32000), Below(32000, N)],
    "adamw": [(MANY,), (MANY,)],
    "gather_rows": [(32000, N), Below(32000, N)],
    "fft": [(256, 4096)],
    "cumsum": [(N, N)],
    "take": [(MANY,), Below(MANY, SOME)],
    "scatter_add": [(MANY,), Below(MANY, SOME), (SOME,)],
    "jit_call": [(4,)],
    "eager_add": [(4,)],
}


def sized(parts):
    """Rows whose name has their sizes; a window's features come first, as in NCHW and OIHW."""
    def size(letters, *otherwise):
        return tuple(size_of(parts, letter, *otherwise) for letter in letters)
    if parts[0] == "matmul" and len(parts) == 3:
        return [(int(parts[2]), int(parts[2]))] * 2
    if parts[0] == "matmul":  # the weight as linear layers store it
        return [size("mk"), size("nk")]
    if parts[0] == "attention":  # 8 heads behind the tokens; the last one weighs the result
        return [(*size("bs"), 8, *size("d"))] * 4
    if parts[0] == "conv":
        (groups,), (features,) = size("g", 1), size("c")
        return [size("bchh"), (*size("o"), features // groups, *size("ww"))]
    return [size("bn")] if parts[0] == "transforms" else None


def shapes_of(parts):
    """Of the arrays that the row reads, in order; of the chains on squares x, y, z, b, c."""
    return SHAPES.get(parts[0]) or sized(parts) or [(N, N)] * 3 + [(N,)] * 2


def arrays_of(parts, rows, **options):
    """The row's arrays, made by a library's rows."""
    return [rows.integers(shape.limit, shape.count) if isinstance(shape, Below) else rows.uniform(*shape, **options)
            for shape in shapes_of(parts)]
