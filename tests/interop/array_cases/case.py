# SPDX-License-Identifier: Apache-2.0
"""A case: a call of a function of the array library and what NumPy says of it.

Floats are compared in f64: |got - want| <= ulps eps(dtype) max(|want|, size), where `size` is the largest term that was
added up (0 where nothing cancels); results below the smallest normal number may differ by as much as that rounding
there. Everything else is equal to the bit, NaN to NaN and infinities to their sign.
"""
import ml_dtypes
import numpy as np

BF16 = np.dtype(ml_dtypes.bfloat16)
NAMES = {"bool": np.dtype(bool), "i8": np.dtype("i1"), "i16": np.dtype("i2"), "i32": np.dtype("i4"), "i64": np.dtype("i8"),
         "u8": np.dtype("u1"), "u16": np.dtype("u2"), "u32": np.dtype("u4"), "u64": np.dtype("u8"),
         "f16": np.dtype("f2"), "bf16": BF16, "f32": np.dtype("f4"), "f64": np.dtype("f8"),
         "complex64": np.dtype("c8"), "complex128": np.dtype("c16")}
NAME_OF = {dtype: name for name, dtype in NAMES.items()}
BOOL = ["bool"]
SIGNED = ["i8", "i16", "i32", "i64"]
UNSIGNED = ["u8", "u16", "u32", "u64"]
INTEGERS = SIGNED + UNSIGNED
FLOATS = ["f16", "bf16", "f32", "f64"]
COMPLEX = ["complex64", "complex128"]
REALS = INTEGERS + FLOATS
NUMBERS = REALS + COMPLEX
ALL = BOOL + NUMBERS
WIDE = ["f32", "f64"] + COMPLEX  # what LAPACK takes
SOME = ["bool", "i32", "u8", "i64", "bf16", "f32", "f64", "complex64"]  # where nothing is computed

rng = np.random.default_rng(2026)


def is_float(dtype):
    return NAME_OF[np.dtype(dtype)] in FLOATS


def is_complex(dtype):
    return np.dtype(dtype).kind == "c"


def inexact(dtype):
    """The dtype of a sine: bool and integers become f32."""
    return np.dtype(dtype) if is_float(dtype) or is_complex(dtype) else NAMES["f32"]


def real_part(dtype):
    return np.dtype({"complex64": "f4", "complex128": "f8"}.get(NAME_OF[np.dtype(dtype)], dtype))


def wide(x, dtype=None):
    """x in f64 or complex128, rounded to dtype before."""
    x = np.asarray(x)
    x = x.astype(dtype) if dtype is not None else x
    return x.astype(np.complex128 if is_complex(x.dtype) else np.float64)


def info(dtype):
    """eps, smallest normal and largest number of a float dtype or of a complex one's parts."""
    return ml_dtypes.finfo(real_part(dtype))


def numbers(name, shape, low=-9, high=9):
    """Random numbers of the dtype of that name: whole ones of both signs where it has them, all values of bool."""
    dtype = NAMES[name]
    if name == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if name in UNSIGNED:
        return rng.integers(max(low, 0), high + 1, shape).astype(dtype)
    if name in SIGNED:
        return rng.integers(low, high + 1, shape).astype(dtype)
    x = rng.uniform(low, high, shape)
    return (x + 1j * rng.uniform(low, high, shape)).astype(dtype) if name in COMPLEX else x.astype(dtype)


def distinct(name, shape):
    """Numbers in random order, no two the same while the dtype has enough of them."""
    count = int(np.prod(shape))
    return rng.permutation(np.arange(count) % 100).reshape(shape).astype(NAMES[name])


class View:
    """The array x, which the library gets as a view of another one: transposed, reversed, strided."""

    def __init__(self, x, kind):
        self.x, self.kind = np.asarray(x), kind

    def stored(self):
        if self.kind == "transposed":
            return self.x.T.copy()
        if self.kind == "reversed":
            return np.flip(self.x).copy()
        whole = np.full([2 * n + 1 for n in self.x.shape], 77, self.x.dtype)
        whole[tuple(slice(1, None, 2) for _ in self.x.shape)] = self.x
        return whole


VIEWS = ["transposed", "reversed", "strided"]


def views(x):
    """x as it is and as every view."""
    return [x] + [View(x, kind) for kind in VIEWS]


def plain(x):
    """The array or number behind a view."""
    return x.x if isinstance(x, View) else x


class Case:
    """f of arrays and numbers `x` with options `o` (arrays among them) gives `want`, one array or a list of them.
    dtypes: of the results, where they are not those of want. error: the call throws, with this in its text.
    check: instead of want, a function of the results that throws AssertionError."""

    def __init__(self, f, x=(), want=None, *, ulps=0, size=0, o=None, dtypes=None, error=None, check=None, jit=False,
                 weights=None):
        self.f, self.x, self.o = f, list(x), o or {}
        self.want = want if want is None or isinstance(want, (list, tuple)) else [want]
        self.ulps, self.size, self.error, self.check, self.jit, self.weights = ulps, size, error, check, jit, weights
        if self.want is not None:
            dtypes = dtypes if isinstance(dtypes, (list, tuple)) else [dtypes] * len(self.want)
            self.dtypes = [np.dtype(d) if d is not None else np.asarray(w).dtype for d, w in zip(dtypes, self.want)]

    def __str__(self):
        def show(x):
            x, kind = plain(x), getattr(x, "kind", "")
            return f"{NAME_OF[x.dtype]}{list(x.shape)}{kind}" if isinstance(x, (np.ndarray, np.generic)) else str(x)
        options = {k: show(v) if isinstance(v, (np.ndarray, View)) else v for k, v in self.o.items()}
        return f"{self.f}({', '.join(map(show, self.x))}{', ' + str(options) if options else ''}){' jit' if self.jit else ''}"

    def verify(self, results, error):
        if self.error is not None:
            assert error is not None and self.error in error, f"wanted an error with '{self.error}', got {error or results}"
            return
        assert error is None, error
        if self.check:
            self.check(*results)
            return
        assert len(results) == len(self.want), f"{len(results)} results, wanted {len(self.want)}"
        for i, (got, want, dtype) in enumerate(zip(results, self.want, self.dtypes)):
            compare(f"result {i}", got, np.asarray(want), dtype, self.ulps, self.size)


def compare(what, got, want, dtype, ulps, size):
    assert got.dtype == dtype, f"{what}: dtype {NAME_OF[got.dtype]}, wanted {NAME_OF[dtype]}"
    assert got.shape == want.shape, f"{what}: shape {got.shape}, wanted {want.shape}"
    if not (is_float(dtype) or is_complex(dtype)):
        bad = got != want.astype(dtype)
    else:
        with np.errstate(all="ignore"):
            bad = differs(got, want.astype(dtype), wide(want), ulps, size)
    if not bad.any():
        return
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    raise AssertionError(f"{what}: {int(bad.sum())} of {bad.size} differ; at {at}: {got[at]!r}, wanted {want[at]!r}"
                         f"{ulp_text(got, want, dtype) if ulps or is_float(dtype) else ''}")


def differs(got, rounded, want, ulps, size):
    """Where got is too far from want; `rounded`: want in the dtype of got."""
    limits, close_to = info(got.dtype), np.maximum(np.abs(want), size)
    allowed = ulps * float(limits.eps) * np.maximum(close_to, float(limits.smallest_normal))
    a, b = wide(got), wide(rounded)
    if is_complex(got.dtype):  # parts that are not finite are not compared: Python, C and NumPy disagree about them
        return ~((np.abs(a - want) <= allowed) | ~np.isfinite(b) & ~np.isfinite(a))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    # At the edge of its range a number may round to infinity, or not.
    edge = (np.abs(want) > float(limits.max) * (1 - ulps * float(limits.eps))) & (np.sign(a) == np.sign(b)) if ulps else False
    return ~(same | (np.abs(a - want) <= allowed) & np.isfinite(a) | edge)


def ulp_text(got, want, dtype):
    with np.errstate(all="ignore"):
        error = np.abs(wide(got) - wide(want)) / (float(info(dtype).eps) * np.maximum(np.abs(wide(want)), 1e-300))
        return f"; worst {np.nanmax(np.where(np.isfinite(error), error, 0), initial=0):.2f} ulp"
