# SPDX-License-Identifier: Apache-2.0
"""Sorting, searching, picking elements, sets."""
import numpy as np

from .case import (ALL, BOOL, COMPLEX, FLOATS, INTEGERS, NAMES, REALS, SOME, VIEWS, Case, View, distinct, numbers, rng, wide)

SHAPES = [((7,), -1), ((0,), 0), ((3, 40), 1), ((40, 3), 0), ((2, 5, 4), -2), ((2, 0), 0), ((3, 1), 1)]


def cases():
    return sorting() + searching() + taking() + sets()


def with_special(name, shape):
    x = numbers(name, shape, -3, 3)  # many equal ones
    if name in FLOATS and x.size > 4:
        flat = x.reshape(-1)
        flat[rng.integers(0, flat.size, 4)] = np.array([np.nan, np.inf, -np.inf, -0.0], x.dtype)
    return x


def reversed_order(x, axis):
    """Stable, largest first, NaN first."""
    w = x if x.dtype.kind in "biu" else wide(x)
    keys = np.flip(w, axis)
    order = np.flip(np.argsort(keys, axis, kind="stable"), axis)
    return w.shape[axis] - 1 - order


def sorting():
    out = []
    for i, name in enumerate(ALL):
        for shape, axis in SHAPES:
            x = with_special(name, shape)
            a, w = View(x, VIEWS[i % 3]), x if x.dtype.kind in "biu" else wide(x)
            up, down = np.argsort(w, axis, kind="stable"), reversed_order(x, axis)
            o = {"axis": axis}
            out.append(Case("sort", [a], np.take_along_axis(x, up, axis), o=o, jit=i % 3 == 0))
            out.append(Case("argsort", [a], up.astype("i4"), o=o))
            out.append(Case("sort", [a], np.take_along_axis(x, down, axis), o=o | {"descending": True}))
            out.append(Case("argsort", [a], down.astype("i4"), o=o | {"descending": True}))
            if name not in COMPLEX and x.shape[axis]:
                n = x.shape[axis]
                for k in {1, n}:
                    top = np.take(down, range(k), axis)
                    out.append(Case("top_k", [a], [np.take_along_axis(x, top, axis), top.astype("i4")], o=o | {"k": k}))
                out.append(Case("partition", [a], None, o=o | {"kth": n // 2}, check=is_partition(x, n // 2, axis)))
                out.append(Case("argpartition", [a], None, o=o | {"kth": n // 2}, check=is_argpartition(x, n // 2, axis)))
        k1, k2 = numbers(name, (30,), 0, 2), numbers(name, (30,), 0, 2)
        if name not in COMPLEX:
            out.append(Case("lexsort", [k1, k2], np.lexsort([wide(k1), wide(k2)]).astype("i4")))
    out += [Case("top_k", [np.arange(3.0)], error="top_k", o={"k": 4}), Case("sort", [np.arange(3.0)], error="axis", o={"axis": 1})]
    return out


def is_partition(x, kth, axis):
    def check(got):
        np.testing.assert_array_equal(np.sort(wide(got), axis), np.sort(wide(x), axis))
        lines = np.moveaxis(np.sort(wide(x), axis), axis, -1), np.moveaxis(wide(got), axis, -1)
        for want, line in zip(lines[0].reshape(-1, x.shape[axis]), lines[1].reshape(-1, x.shape[axis])):
            np.testing.assert_array_equal(line[kth], want[kth])
            assert np.all((line[:kth] <= want[kth]) | np.isnan(want[kth])), line
            assert np.all((line[kth:] >= want[kth]) | np.isnan(line[kth:])), line
    return check


def is_argpartition(x, kth, axis):
    inner = is_partition(x, kth, axis)
    return lambda got: inner(np.take_along_axis(x, got, axis))


def searching():
    out = []
    for i, name in enumerate(ALL):
        x = numbers(name, (3, 4, 5), -1, 1)
        if name in FLOATS + COMPLEX:
            x[rng.uniform(0, 1, x.shape) < 0.5] = 0
        a = View(x, VIEWS[i % 3])
        out.append(Case("nonzero", [a], [n.astype("i4") for n in np.nonzero(x)]))
        out.append(Case("flatnonzero", [a], np.flatnonzero(x).astype("i4")))
        out.append(Case("argwhere", [a], np.argwhere(x).astype("i4")))
        out.append(Case("nonzero", [x[:0]], [np.zeros(0, "i4")] * 3))
        c = numbers("bool", (4,))
        out.append(Case("compress", [c, a], np.compress(c, x, 1), o={"axis": 1}))
        out.append(Case("compress", [c[:3], x], np.compress(c[:3], x)))
        y = [numbers(name, (4, 3)) for _ in range(3)]
        m = [numbers("bool", (4, 3)), numbers("bool", (3,)), numbers("bool", (4, 1))]
        zero = np.zeros((), NAMES[name])
        out.append(Case("select", [*m, *y, zero], np.select([np.broadcast_to(b, (4, 3)) for b in m], y, zero)))
    for name in ALL:
        s, v = np.sort(wide(numbers(name, (17,), -2, 2))).astype(NAMES[name]), numbers(name, (3, 6), -2, 2)
        v.reshape(-1)[:5] = s[::4]
        for side in ("left", "right"):
            out.append(Case("searchsorted", [s, v], np.searchsorted(s, v, side).astype("i4") if name != "bf16" else
                            np.searchsorted(wide(s), wide(v), side).astype("i4"), o={"side": side}))
        mixed = rng.permutation(17)
        unsorted_ = np.empty_like(s)
        unsorted_[mixed] = s
        out.append(Case("searchsorted", [unsorted_, v], np.searchsorted(wide(s), wide(v)).astype("i4"), o={"sorter": mixed}))
    s = np.array([-np.inf, 1, 2, np.inf, np.nan], "f4")
    out.append(Case("searchsorted", [s, s], np.searchsorted(s, s).astype("i4")))
    out.append(Case("searchsorted", [s[:0], s], np.zeros(5, "i4")))
    return out


def taking():
    out = []
    for i, name in enumerate(ALL):
        x = numbers(name, (3, 4, 5))
        a = View(x, VIEWS[i % 3])
        for index in ("i32", "u8", "i64"):
            n = numbers(index, (2, 3), 0, 3)
            out.append(Case("take", [a, n], np.take(x, n, 1), o={"axis": 1}))
            out.append(Case("take", [x, n], np.take(x, n)))
            k = numbers(index, (3, 4, 2), 0, 4)
            out.append(Case("take_along_axis", [a, k], np.take_along_axis(x, k.astype("i8"), -1)))
        far = np.array([-9, -1, 0, 3, 4, 100], "i4")
        out.append(Case("take", [a, far], np.take(x, far, 1, mode="clip"), o={"axis": 1, "mode": "clip"}))
        out.append(Case("take", [a, far], np.take(x, far, 1, mode="wrap"), o={"axis": 1, "mode": "wrap"}))
        filler = {"b": True, "i": np.iinfo(x.dtype).min if name in INTEGERS else 0, "u": np.iinfo(x.dtype).max if name in INTEGERS else 0}
        filled = np.take(x, far, 1, mode="wrap")
        filled[:, [0, 4, 5]] = filler.get(x.dtype.kind, np.nan)
        if name not in COMPLEX:
            out.append(Case("take", [a, far], filled, o={"axis": 1}))
        down = np.array([[-1], [-4], [2]], "i4")
        out.append(Case("take_along_axis", [x[0].T, down], np.take_along_axis(x[0].T, np.broadcast_to(down, (3, 4)), 0),
                        o={"axis": 0}))
    return out


def sets():
    out = []
    for i, name in enumerate(BOOL + REALS + COMPLEX):
        x, y = numbers(name, (4, 6), -2, 2), numbers(name, (5,), -2, 2)
        x = np.round(wide(x)).astype(x.dtype) if name in FLOATS + COMPLEX else x
        y = np.round(wide(y)).astype(y.dtype) if name in FLOATS + COMPLEX else y
        w, v = (wide(x), wide(y)) if name in FLOATS else (x, y)
        for a, b in ((x, w), (x[:0], w[:0]), (x[0], w[0]), (View(x, VIEWS[i % 3]), w)):
            values, index, inverse, counts = np.unique_all(b)
            ints = [index.astype("i4"), inverse.astype("i4"), counts.astype("i4")]
            d = x.dtype
            out += [Case("unique_values", [a], values, dtypes=d),
                    Case("unique_counts", [a], [values, ints[2]], dtypes=[d, np.dtype("i4")]),
                    Case("unique_inverse", [a], [values, ints[1]], dtypes=[d, np.dtype("i4")]),
                    Case("unique_all", [a], [values, *ints], dtypes=[d] + [np.dtype("i4")] * 3)]
        rows = x[rng.integers(0, 2, 5)]
        for axis in (0, 1):
            if name not in COMPLEX:
                u = np.unique(wide(rows) if name in FLOATS else rows, True, True, True, axis)
                out.append(Case("unique_slices", [rows], [u[0]] + [np.ravel(n).astype("i4") for n in u[1:]], o={"axis": axis},
                                dtypes=[x.dtype] + [np.dtype("i4")] * 3))
        for f, g in (("union1d", np.union1d), ("intersect1d", np.intersect1d), ("setdiff1d", np.setdiff1d), ("setxor1d", np.setxor1d)):
            out.append(Case(f, [x, y], g(w, v), dtypes=x.dtype))
            out.append(Case(f, [x[:0], y], g(w[:0], v), dtypes=x.dtype))
        out.append(Case("isin", [x, y[:2]], np.isin(w, v[:2])))
        out.append(Case("isin", [x, y[:2]], np.isin(w, v[:2], invert=True), o={"invert": True}))
    odd = np.array([np.nan, 1, np.nan, -0.0, 0.0], "f4")
    out.append(Case("unique_values", [odd], np.array([0, 1, np.nan, np.nan], "f4")))
    out.append(Case("isin", [odd, odd], np.array([False, True, False, True, True])))
    return out
