# SPDX-License-Identifier: Apache-2.0
"""Statistics, those that leave NaNs out, medians and quantiles."""
import numpy as np

from .case import (ALL, BOOL, COMPLEX, FLOATS, INTEGERS, NAMES, NUMBERS, REALS, SIGNED, VIEWS, Case, View, inexact,
                   is_complex, is_float, numbers, real_part, rng, wide)

# shape, axes; None: all
OVER = [((), None), ((0,), 0), ((7,), None), ((3, 4), 0), ((3, 4), -1), ((2, 3, 5), (0, 2)), ((2, 3, 5), None), ((2, 3, 5), ()),
        ((2, 0, 3), 1), ((2, 0, 3), 0), ((1, 300), 1), ((300, 1), 0), ((4, 65), 0)]


def counted(dtype):
    """bool and small integers count in 32 bits."""
    dtype = np.dtype(dtype)
    if dtype.kind in "b" or dtype.kind == "i" and dtype.itemsize < 4:
        return np.dtype("i4")
    return np.dtype("u4") if dtype.kind == "u" and dtype.itemsize < 4 else dtype


def options(axis, keepdims):
    o = {"keepdims": True} if keepdims else {}
    return o if axis is None else o | {"axis": list(axis) if isinstance(axis, tuple) else axis}


def elements(x, axis):
    """How many elements one result is made of."""
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return int(np.prod([x.shape[a] for a in axes]))


def lifted(x):
    return wide(x) if is_float(x.dtype) or is_complex(x.dtype) else x


def absolute(x, f, **kwargs):
    return f(np.abs(wide(x)), **kwargs)


def each(names, seed=0):
    """An array, its view's kind, axis and keepdims for all dtypes and shapes."""
    for i, name in enumerate(names):
        for j, (shape, axis) in enumerate(OVER):
            x = numbers(name, shape)
            yield name, (View(x, VIEWS[(i + j) % 3]) if (i + j + seed) % 2 else x), x, axis, (i + j + seed) % 3 == 0


def cases():
    return (sums() + extremes() + spreads() + running() + nans() + quantiles() + averages() + places_() + nothing())


def sums():
    out = []
    for name, a, x, axis, keep in each(ALL):
        o, kw, n = options(axis, keep), {"axis": axis, "keepdims": keep}, elements(x, axis)
        dtype, jit = counted(x.dtype), n % 2 == 0
        y = lifted(x) if x.dtype.kind not in "biu" else x.astype(dtype)
        size = absolute(x, np.sum, **kw)
        kw_int = kw | ({"dtype": dtype} if x.dtype.kind in "biu" else {})
        out.append(Case("sum", [a], np.sum(y, **kw_int), ulps=2 + n ** 0.5 / 4, size=size, dtypes=dtype, o=o, jit=jit))
        z = numbers(name, x.shape, -2, 2)
        z = z if z.dtype.kind not in "biu" else z.astype(dtype)
        out.append(Case("prod", [z], np.prod(lifted(z), **kw_int), ulps=4 + n * 8, dtypes=dtype, o=o))
        mean = inexact(x.dtype)
        out.append(Case("mean", [a], np.mean(wide(x), **kw), ulps=2 + n ** 0.5 / 4, size=size / max(n, 1), dtypes=mean, o=o))
        out.append(Case("all", [a], np.asarray(np.all(x, **kw)), o=o))
        out.append(Case("any", [a], np.asarray(np.any(x, **kw)), o=o))
        out.append(Case("count_nonzero", [a], np.asarray(np.count_nonzero(x, **kw), np.int32), o=o))
    for name in ("i8", "u8", "bf16", "f32", "bool"):
        x = numbers(name, (4, 90))
        out.append(Case("sum", [x], np.sum(wide(x), -1), ulps=4, dtypes=np.dtype("f8"), o={"axis": -1, "dtype": "f64"}))
        out.append(Case("prod", [x[:, :5]], np.prod(wide(x[:, :5]), -1), ulps=32, dtypes=np.dtype("f8"), o={"axis": -1, "dtype": "f64"}))
        out.append(Case("mean", [x], np.mean(wide(x)), ulps=4, size=9, dtypes=np.dtype("f8"), o={"dtype": "f64"}))
    out.append(Case("all", [np.array([np.nan, 1, -1], "f4")], np.asarray(True)))
    out.append(Case("any", [np.array([-0.0, 0], "f4")], np.asarray(False)))
    return out


def extremes():
    out = []
    for name, a, x, axis, keep in each(BOOL + REALS, 1):
        o, kw = options(axis, keep), {"axis": axis, "keepdims": keep}
        if elements(x, axis) or not np.sum(np.ones(x.shape), **kw).size:
            for f, g in (("max", np.max), ("min", np.min)):
                out.append(Case(f, [a], np.asarray(g(x, **kw)), o=o))
            if name != "bool":
                out.append(Case("ptp", [a], np.asarray(np.ptp(lifted(x), **kw)), ulps=1, size=18, dtypes=x.dtype, o=o))
    for name in FLOATS:
        x = np.array([[1, np.nan, 3], [-np.inf, 2, np.inf], [-0.0, -5, 0]], NAMES[name])
        out += [Case("max", [x], np.max(x, 1), o={"axis": 1}), Case("min", [x], np.min(x, 0), o={"axis": 0}),
                Case("ptp", [x], np.ptp(wide(x), 1), dtypes=x.dtype, o={"axis": 1})]
    return out


def spreads():
    out = []
    for name, a, x, axis, keep in each(ALL, 2):
        n = elements(x, axis)
        for correction in (0, 1, 0.5):
            if n <= correction:
                continue
            o, kw = options(axis, keep) | {"correction": correction}, {"axis": axis, "keepdims": keep, "ddof": correction}
            dtype, scale = real_part(inexact(x.dtype)), absolute(x, np.max, axis=axis, keepdims=keep, initial=1)
            out.append(Case("var", [a], np.var(wide(x), **kw), ulps=16, size=scale ** 2, dtypes=dtype, o=o))
            root = np.std(wide(x), **kw)
            out.append(Case("stddev", [a], root, ulps=16, size=scale ** 2 / np.maximum(root, 1), dtypes=dtype, o=o)
                       if np.all(root > 1e-2) else Case("stddev", [x * 0], root * 0, dtypes=dtype, o=o))
    x = (np.arange(8, dtype="f4") + 1e4)  # the mean is subtracted first
    out.append(Case("var", [x], np.var(wide(x)), ulps=64, dtypes=x.dtype))
    return out


def running():
    out = []
    for i, name in enumerate(ALL):
        for shape, axis in (((9,), None), ((3, 70), 1), ((70, 3), 0), ((2, 1, 4), -2), ((0,), 0), ((3, 0), 0), ((2, 5), -1)):
            x, small = numbers(name, shape), numbers(name, shape, -1, 1)
            o = {} if axis is None else {"axis": axis}
            dtype, axis = counted(x.dtype), -1 if axis is None else axis
            a = View(x, VIEWS[i % 3])
            y = x.astype(dtype) if x.dtype.kind in "biu" else wide(x)
            want = np.cumsum(y, axis)
            out.append(Case("cumulative_sum", [a], want, ulps=16, size=absolute(x, np.cumsum, axis=axis), dtypes=dtype, o=o))
            z = small.astype(dtype) if x.dtype.kind in "biu" else wide(small)
            out.append(Case("cumulative_prod", [small], np.cumprod(z, axis), ulps=200, dtypes=dtype, o=o))
            edge = [list(shape)][0][:]
            edge[axis] = 1
            with_first = np.concatenate([np.zeros(edge, y.dtype), want], axis)
            out.append(Case("cumulative_sum", [a], with_first, ulps=16, size=300, dtypes=dtype, o=o | {"include_initial": True}))
            out.append(Case("cumulative_prod", [small], np.concatenate([np.ones(edge, z.dtype), np.cumprod(z, axis)], axis),
                            ulps=200, dtypes=dtype, o=o | {"include_initial": True}))
            for n in (0, 1, 2):
                if x.shape[axis] > n:
                    d = np.diff(x if x.dtype.kind in "biu" else wide(x), n, axis)
                    out.append(Case("diff", [a], d, ulps=n, size=40, dtypes=x.dtype, o={"axis": axis, "n": n}))
        v, e = numbers(name, (4,)), numbers(name, (2,))
        d = np.diff(v if v.dtype.kind in "biu" else wide(v), prepend=wide(e) if v.dtype.kind not in "biu" else e,
                    append=wide(v[0]) if v.dtype.kind not in "biu" else v[0])
        out.append(Case("diff", [v], d, ulps=1, size=20, dtypes=v.dtype, o={"prepend": e, "append": v[0]}))
    x = numbers("u8", (9,))
    out.append(Case("cumulative_sum", [x], np.cumsum(x.astype("f8")), ulps=1, o={"dtype": "f64"}))
    out.append(Case("cumulative_sum", [numbers("f32", (2, 2))], error="axis"))
    return out


def with_nans(name, shape):
    x = numbers(name, shape)
    if name in FLOATS:
        x[rng.uniform(0, 1, shape) < 0.3] = np.nan
    return x


def nans():
    out = []
    for name in FLOATS + ["i32", "u8"]:
        for j, (shape, axis) in enumerate(OVER):
            x, keep = with_nans(name, shape), j % 2 == 0
            o, kw, n = options(axis, keep), {"axis": axis, "keepdims": keep}, elements(x, axis)
            dtype, w = x.dtype, wide(x)
            size = np.nansum(np.abs(w), **kw)
            sums = counted(dtype)
            out.append(Case("nansum", [x], np.nansum(w, **kw), ulps=2 + n ** 0.5 / 4, size=size, dtypes=sums, o=o))
            z = np.where(np.isnan(w), w, np.clip(w, -2, 2)).astype(dtype)
            if is_float(dtype):
                out.append(Case("nanprod", [z], np.nanprod(wide(z), **kw), ulps=4 + 8 * n, dtypes=sums, o=o))
            if n == 0:
                continue
            out.append(Case("nanmean", [x], np.nanmean(w, **kw), ulps=8, size=9, dtypes=inexact(dtype), o=o))
            out.append(Case("nanvar", [x], np.nanvar(w, **kw), ulps=16, size=81, dtypes=inexact(dtype), o=o))
            root = np.nanstd(w, **kw)
            out.append(Case("nanstd", [x], root, ulps=64, size=9, dtypes=inexact(dtype), o=o))
            out.append(Case("nanmax", [x], np.nanmax(w, **kw), dtypes=dtype, o=o))
            out.append(Case("nanmin", [x], np.nanmin(w, **kw), dtypes=dtype, o=o))
            out.append(Case("nanmedian", [x], np.nanmedian(w, **kw), ulps=2, dtypes=inexact(dtype), o=o))
        x = with_nans(name, (5, 8))
        for f, g in (("nanargmax", np.argmax), ("nanargmin", np.argmin)):
            filled = np.where(np.isnan(wide(x)), -np.inf if f == "nanargmax" else np.inf, wide(x))
            for axis in (None, 0, 1):
                got = np.where(np.all(np.isnan(wide(x)), axis), -1, g(filled, axis)).astype(np.int32)
                out.append(Case(f, [x], got, o=options(axis, False)))
        w = wide(x)
        out.append(Case("nancumsum", [x], np.nancumsum(w, 1), ulps=16, size=80, dtypes=counted(x.dtype), o={"axis": 1}))
        z = np.clip(w, -2, 2).astype(x.dtype)
        out.append(Case("nancumprod", [z], np.nancumprod(wide(z), 0), ulps=64, dtypes=counted(x.dtype), o={"axis": 0}))
    lost = np.array([[np.nan, np.nan], [1, np.nan]], "f4")
    out += [Case(f, [lost], np.array([np.nan, 1], "f4"), o={"axis": 1}) for f in ("nanmean", "nanmax", "nanmin", "nanmedian")]
    out += [Case(f, [lost], np.array([-1, 0], "i4"), o={"axis": 1}) for f in ("nanargmax", "nanargmin")]
    return out


METHODS = ["linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf", "averaged_inverted_cdf", "closest_observation",
           "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased", "normal_unbiased"]


def quantiles():
    out = []
    for name in FLOATS + ["i32", "u8", "i64"]:
        for j, (shape, axis) in enumerate(OVER):
            x, keep = numbers(name, shape), j % 2 == 0
            if not elements(x, axis) or axis == ():
                continue
            dtype = inexact(x.dtype)
            want = np.median(wide(x), axis, keepdims=keep)
            out.append(Case("median", [x], want, ulps=2, size=9, dtypes=dtype, o=options(axis, keep)))
        x, y = numbers(name, (5, 11)), with_nans(name, (5, 11))
        q = np.array([[0, 0.1, 0.5], [0.25, 0.99, 1]], "f4")
        for method in METHODS:
            o = {"axis": 1, "method": method}
            # f32 fractions of q (n - 1): their error times the distance of neighbours.
            common = {"ulps": 16, "size": 20, "dtypes": dtype}
            out.append(Case("quantile", [x, q], np.quantile(wide(x), wide(q), axis=1, method=method), o=o, **common))
            if method == "linear":
                out.append(Case("nanquantile", [y, q], np.nanquantile(wide(y), wide(q), axis=1), o=o, **common))
                p = np.array([0, 33, 50, 100], "f4")
                out.append(Case("percentile", [x, p], np.percentile(wide(x), wide(p)), **common))
                out.append(Case("nanpercentile", [y, p], np.nanpercentile(wide(y), wide(p), axis=(0, 1)), o={"axis": [0, 1]}, **common))
                out.append(Case("quantile", [x, 0.3], np.quantile(wide(x), 0.3, axis=0, keepdims=True),
                                o={"axis": 0, "keepdims": True}, **common))
    x = np.array([1, np.nan, 3], "f4")
    out += [Case("median", [x], np.array(np.nan, "f4")), Case("quantile", [x, 0.5], np.array(np.nan, "f4"))]
    return out


def averages():
    out = []
    for name in FLOATS + ["i32"] + COMPLEX:
        x, w = numbers(name, (4, 6)), rng.uniform(0.1, 1, (4, 6)).astype("f4")
        dtype = np.result_type(np.float32, x.dtype) if name in ("f32", "f64") + tuple(COMPLEX) else np.dtype("f4")
        out.append(Case("average", [x], np.average(wide(x), 0), ulps=8, size=9, dtypes=inexact(x.dtype), o={"axis": 0}))
        out.append(Case("average", [x], np.average(wide(x), 1, wide(w)), ulps=16, size=20, dtypes=dtype, o={"axis": 1, "weights": w}))
        out.append(Case("average", [x], np.average(wide(x), 1, wide(w[0])), ulps=16, size=20, dtypes=dtype, o={"axis": 1, "weights": w[0]}))
        out.append(Case("average", [x], np.average(wide(x), None, wide(w)), ulps=16, size=20, dtypes=dtype, o={"weights": w}))
    return out


def places_():
    out = []
    for f, g in (("argmax", np.argmax), ("argmin", np.argmin)):
        for name, a, x, axis, keep in each(BOOL + REALS):
            if isinstance(axis, tuple) or not elements(x, axis):
                continue
            kw = {"keepdims": True} if keep else {}
            want = np.asarray(g(x if name not in FLOATS else wide(x), axis, **kw))
            out.append(Case(f, [a], want, dtypes=np.dtype("i4"), o=options(axis, keep)))
        for name in FLOATS:
            x = np.array([[3, np.nan, np.nan], [1, 7, 7], [-np.inf, -0.0, 0], [np.inf, 1, np.inf]], NAMES[name])
            out.append(Case(f, [x], g(wide(x), 1), dtypes=np.dtype("i8"), o={"axis": 1, "index": "i64"}))
    return out


def nothing():
    """Of no elements: 0, 1, NaN, or an error."""
    e = np.zeros((2, 0), "f4")
    out = [Case("mean", [e], np.full(2, np.nan, "f4"), o={"axis": 1}), Case("all", [e], np.asarray(True)),
           Case("var", [e], np.full(2, np.nan, "f4"), o={"axis": 1})]
    out += [Case(f, [e], error=f, o={"axis": 1}) for f in ("max", "min", "argmax", "argmin", "median")]
    out.append(Case("ptp", [e], error="no elements", o={"axis": 1}))
    out += [Case(f, [e], np.zeros(0, "f4"), o={"axis": 0}) for f in ("max", "min", "sum", "median")]
    out += [Case(f, [np.ones((2, 3), "f4")], error="axis", o={"axis": 2}) for f in ("sum", "max", "argmax", "median", "var")]
    return out
