# SPDX-License-Identifier: Apache-2.0
"""Element-wise functions of one array. A row: the function in f64, dtypes, ulps, how the result's dtype follows."""
import numpy as np
import scipy.special as special

from .case import (ALL, BOOL, COMPLEX, FLOATS, INTEGERS, NAMES, NUMBERS, REALS, SIGNED, VIEWS, Case, View, inexact,
                   is_complex, is_float, numbers, real_part, rng, wide)

SHAPES = [(), (0,), (1,), (7,), (3, 0, 2), (65,), (5, 33)]


def special_values(name):
    """NaN, infinities, signed zeros, the ends of the range."""
    dtype = NAMES[name]
    if name == "bool":
        return np.array([False, True])
    if name in INTEGERS:
        limits = np.iinfo(dtype)
        return np.array([0, 1, 2, 3, 10, 63, limits.max, limits.max - 1, limits.min, limits.min + 1,
                         limits.max // 2], dtype)
    parts = np.array([0.0, -0.0, 1, -1, 0.5, -0.5, 2, 3, -2.5, 1.5, 10, -10, 1e-3, -1e-3, 0.999, 1.001, 88, -104, 100, 3e4,
                      np.pi, np.pi / 2])
    if name in COMPLEX:
        return np.array([complex(a, b) for a in parts[:16] for b in parts[2:16:3]]).astype(dtype)
    import ml_dtypes
    f = ml_dtypes.finfo(dtype)
    edges = np.array([f.max, f.min, f.smallest_normal, f.eps], dtype)
    return np.concatenate([parts.astype(dtype), edges, np.array([np.inf, -np.inf, np.nan], dtype)])


def expit(x):
    return np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x)))


def complex_sign(x):
    return np.where(x == 0, 0, x / np.abs(x)) if is_complex(x.dtype) else np.sign(x)


def lgamma(x):
    return np.where(np.isneginf(x), np.inf, special.gammaln(x))


def digamma(x):  # poles are NaN, as in JAX
    return np.where((x <= 0) & (x == np.floor(x)), np.nan, special.digamma(x))


def sinc(x):  # pi x overflows in f32
    return np.where(np.abs(x) > 1e38, np.nan, np.sinc(x))


def silu(x):  # -inf sigmoid(-inf) is NaN, as in JAX
    return np.where(np.isneginf(x), np.nan, x * expit(x))


def same(dtype):
    return dtype


def boolean(_):
    return np.dtype(bool)


def real_inexact(dtype):
    return real_part(inexact(dtype))


# name: (function, dtypes, ulps, and where terms cancel their size, dtype of the result). "exact" functions work in the dtype itself, the others in f64.
EXACT = {
    "abs": (np.abs, NUMBERS, 0, real_part), "ceil": (np.ceil, REALS, 0, same), "floor": (np.floor, REALS, 0, same),
    "trunc": (np.trunc, REALS, 0, same), "conj": (np.conj, NUMBERS, 0, same), "real": (np.real, NUMBERS, 0, real_part),
    "imag": (np.imag, NUMBERS, 0, real_part), "negative": (np.negative, NUMBERS, 0, same),
    "positive": (np.positive, NUMBERS, 0, same), "sign": (complex_sign, NUMBERS, 2, same),
    "signbit": (np.signbit, REALS, 0, boolean), "square": (np.square, NUMBERS, 1, same),
    "isfinite": (np.isfinite, ALL, 0, boolean), "isinf": (np.isinf, ALL, 0, boolean),
    "isnan": (np.isnan, ALL, 0, boolean), "logical_not": (np.logical_not, ALL, 0, boolean),
    "bitwise_count": (np.bitwise_count, INTEGERS, 0, lambda _: np.dtype("u1")),
    "bitwise_invert": (np.invert, BOOL + INTEGERS, 0, same), "relu": (lambda x: np.maximum(x, 0), REALS, 0, same),
}
INEXACT = {
    "acos": (np.arccos, ALL, 4), "acosh": (np.arccosh, ALL, 4), "asin": (np.arcsin, ALL, 4), "asinh": (np.arcsinh, ALL, 4),
    "atan": (np.arctan, ALL, 4), "atanh": (np.arctanh, ALL, 4), "cbrt": (np.cbrt, REALS, 4), "cos": (np.cos, ALL, 4),
    "cosh": (np.cosh, ALL, 4), "deg2rad": (np.deg2rad, REALS, 2), "rad2deg": (np.rad2deg, REALS, 2),
    "erf": (special.erf, REALS, 4), "erfc": (special.erfc, REALS, 32),  # 27 ulp measured at 6e-22
    "erfinv": (special.erfinv, REALS, 8),
    "exp": (np.exp, ALL, 4), "exp2": (np.exp2, ALL, 4), "expm1": (np.expm1, ALL, 4), "log": (np.log, ALL, 4),
    "log10": (np.log10, ALL, 4), "log1p": (np.log1p, ALL, 4), "log2": (np.log2, ALL, 4),
    "lgamma": (lgamma, REALS, 8, 1), "digamma": (digamma, REALS, 16, 1), "logit": (special.logit, REALS, 8),
    "reciprocal": (np.reciprocal, ALL, 2), "rsqrt": (lambda x: 1 / np.sqrt(x), ALL, 4),
    "sigmoid": (expit, REALS, 4), "silu": (silu, REALS, 4, 1e-30),  # below that sigmoid leaves the range of f32
    "softplus": (lambda x: np.logaddexp(x, 0), REALS, 4), "log_sigmoid": (lambda x: -np.logaddexp(-x, 0), REALS, 4),
    "sin": (np.sin, ALL, 4), "sinc": (sinc, REALS, 2, 1), "sinh": (np.sinh, ALL, 4), "sqrt": (np.sqrt, ALL, 2),
    "tan": (np.tan, ALL, 4), "tanh": (np.tanh, ALL, 4),
}
DOMAIN = {"erfinv": (-1, 1), "logit": (0, 1), "atanh": (-1, 1), "acos": (-1, 1), "asin": (-1, 1)}


def exact_case(f, name, x, jit=False):
    function, _, ulps, result = EXACT[f]
    raw = np.asarray(getattr(x, "x", x))
    dtype = result(raw.dtype)
    want = function(wide(raw) if is_float(raw.dtype) or is_complex(raw.dtype) else raw)
    return Case(f, [x], np.asarray(want), ulps=ulps or (2 if f == "abs" and is_complex(raw.dtype) else 0), dtypes=dtype,
                jit=jit)


def inexact_case(f, name, x, jit=False):
    function, _, ulps, *size = INEXACT[f]
    raw = np.asarray(getattr(x, "x", x))
    dtype = inexact(raw.dtype)
    ulps, size = 2 if name in ("f16", "bf16") else ulps, sum(size)
    if is_complex(dtype):
        ulps, size = ulps * 4, 1
    return Case(f, [x], np.asarray(function(wide(raw, dtype))), ulps=ulps, size=size, dtypes=dtype, jit=jit)


def cases():
    out = []
    for table, make in ((EXACT, exact_case), (INEXACT, inexact_case)):
        for f, row in table.items():
            low, high = DOMAIN.get(f, (-9, 9))
            for i, name in enumerate(row[1]):
                out.append(make(f, name, special_values(name)))
                x = numbers(name, SHAPES[(i + len(out)) % len(SHAPES)], low, high)
                out.append(make(f, name, x, jit=i % 3 == 0))
                out.append(make(f, name, View(numbers(name, (4, 37), low, high), VIEWS[i % 3])))
    return out + others()


def others():
    out = []
    for name in REALS + COMPLEX:
        x = numbers(name, 31, -120, 120)
        out.append(Case("angle", [x], np.angle(wide(x, inexact(x.dtype))), ulps=4, dtypes=real_inexact(x.dtype)))
        for decimals in (0, 1, -1, 2):
            if name in FLOATS + COMPLEX and decimals:
                x = numbers(name, (3, 9))
            out.append(Case("round", [x], np.round(x if name not in FLOATS else wide(x), decimals) if name != "bf16"
                            else np.round(wide(x), decimals), ulps=2 * bool(decimals) if name in FLOATS + COMPLEX else 0,
                            size=9, dtypes=x.dtype, o={"decimals": decimals}))
    for name in FLOATS + ["i32"]:
        for x in (special_values(name), View(numbers(name, (3, 17), -4, 4), "transposed")):
            raw = np.asarray(getattr(x, "x", x))
            w, dtype = wide(raw, inexact(raw.dtype)), inexact(raw.dtype)
            tanh = w / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (w + 0.044715 * w ** 3)))
            erf = w / 2 * special.erfc(-w / np.sqrt(2))
            finite = not np.any(np.isneginf(w))
            if finite or name == "i32":
                out.append(Case("gelu", [x], tanh, ulps=16, size=1, dtypes=dtype))
                out.append(Case("gelu", [x], erf, ulps=8, size=1, dtypes=dtype, o={"approximate": False}))
            out.append(Case("leaky_relu", [x], np.where(w >= 0, w, 0.1 * w), ulps=2, dtypes=dtype,
                            o={"negative_slope": 0.1}))
            out.append(Case("elu", [x], np.where(w > 0, w, 1.5 * np.expm1(np.minimum(w, 0))), ulps=4, dtypes=dtype,
                            o={"alpha": 1.5}))
            big, low = float(np.float64(np.asarray(0, dtype) + _max(dtype))), -_max(dtype)
            wanted = np.where(np.isnan(w), 2.5, np.where(np.isposinf(w), big, np.where(np.isneginf(w), low, w)))
            if name != "i32":
                out.append(Case("nan_to_num", [x], wanted, ulps=1, dtypes=dtype, o={"nan": 2.5}))
                replaced = np.where(np.isnan(w), 0, np.where(np.isposinf(w), 7, np.where(np.isneginf(w), -7, w)))
                out.append(Case("nan_to_num", [x], replaced, dtypes=dtype, o={"posinf": 7, "neginf": -7}))
    out.append(Case("nan_to_num", [np.arange(3)], np.arange(3)))
    return out + along_axes() + comparisons()


def _max(dtype):
    import ml_dtypes
    return float(ml_dtypes.finfo(dtype).max)


def along_axes():
    out = []
    for name in FLOATS:
        for shape, axis in (((5,), -1), ((3, 7), 0), ((2, 3, 9), -2), ((1, 1), 1), ((0, 4), 1), ((4, 130), -1)):
            x = numbers(name, shape, -20, 20)
            w = wide(x)
            shifted = w - np.max(w, axis, keepdims=True, initial=-np.inf)
            soft = np.exp(shifted) / np.sum(np.exp(shifted), axis, keepdims=True)
            out.append(Case("softmax", [x], soft, ulps=8, size=1, dtypes=x.dtype, o={"axis": axis}))
            logs = shifted - np.log(np.sum(np.exp(shifted), axis, keepdims=True))
            out.append(Case("log_softmax", [x], logs, ulps=8, size=40, dtypes=x.dtype, o={"axis": axis}))
            if x.size:
                lse = special.logsumexp(w, axis, keepdims=True)
                out.append(Case("logsumexp", [x], lse, ulps=4, size=40, dtypes=x.dtype,
                                o={"axis": [axis], "keepdims": True}))
        out.append(Case("logsumexp", [x], special.logsumexp(w), ulps=4, size=40, dtypes=x.dtype))
        bad = np.array([[1, np.nan], [np.inf, 0], [-np.inf, -np.inf], [6e4, 6e4]], x.dtype)
        out.append(Case("logsumexp", [bad], np.array([np.nan, np.inf, -np.inf, wide(bad)[3, 0] + np.log(2)]), ulps=4,
                        dtypes=x.dtype, o={"axis": [1]}))
        # The maximum is subtracted: f16 would overflow at 12.
        out.append(Case("softmax", [bad], np.array([[np.nan] * 2, [np.nan] * 2, [np.nan] * 2, [0.5, 0.5]]), ulps=2,
                        dtypes=x.dtype))
    for name in INTEGERS:
        x = numbers(name, (2, 5), -1, 6)
        want = (x[..., None] == np.arange(4)).astype(np.float32)
        out.append(Case("one_hot", [x], want, o={"classes": 4}))
        out.append(Case("one_hot", [x], want.astype(bool), o={"classes": 4, "dtype": "bool"}))
    return out


def comparisons():
    out = []
    for name in ["f16", "bf16", "f32", "f64", "i32", "bool"]:
        x = special_values(name)
        y = x.copy()
        rng.shuffle(y)
        for a, b in ((x, x), (x, y)):
            wa, wb = wide(a, inexact(a.dtype)), wide(b, inexact(a.dtype))
            for equal_nan in (False, True):
                o = {"equal_nan": equal_nan}
                out.append(Case("isclose", [a, b], np.isclose(wa, wb, equal_nan=equal_nan), o=o))
                out.append(Case("allclose", [a, b], np.asarray(np.allclose(wa, wb, equal_nan=equal_nan)), o=o))
            out.append(Case("array_equal", [a, b], np.asarray(np.array_equal(a, b))))
    out.append(Case("array_equal", [np.arange(3), np.arange(4)], np.asarray(False)))
    out.append(Case("array_equal", [np.arange(3.0), np.arange(3)], np.asarray(True)))
    x = np.array([1.0, 1.1, 2.0], np.float32)
    out.append(Case("isclose", [x, np.float32(1)], np.isclose(x, 1, 0.2, 0.01), o={"rtol": 0.2, "atol": 0.01}))
    return out
