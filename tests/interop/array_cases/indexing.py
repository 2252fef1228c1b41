# SPDX-License-Identifier: Apache-2.0
"""Indexing: NumPy's x[index] over random mixtures; x.at[index] as JAX does it; functions of places."""
import numpy as np

from .case import ALL, BF16, COMPLEX, FLOATS, INTEGERS, NAMES, REALS, SIGNED, SOME, VIEWS, Case, View, numbers, rng, wide


def cases():
    return reading() + updates() + repeated() + modes() + functions()


def random_index(shape, with_arrays=True):
    """A mixture of what NumPy takes as an index of an array of that shape."""
    common = [(), (3,), (2, 1), (2, 3)][rng.integers(4)]
    index, used_ellipsis, axis = [], False, 0
    while axis < len(shape):
        kind, n = rng.integers(8 if with_arrays else 5), shape[axis]
        if kind == 0 and n:
            index.append(int(rng.integers(-n, n)))
        elif kind == 1 and not used_ellipsis:
            index.append(...)
            used_ellipsis = True
            axis += int(rng.integers(0, len(shape) - axis + 1)) - 1
        elif kind == 2 and len(index) < 6:
            index.append(None)
            continue
        elif kind in (5, 6) and n:
            index.append(rng.integers(-n, n, common))
        elif kind == 7:
            index.append(slice(None))
        else:
            a, b = (None if rng.integers(3) == 0 else int(rng.integers(-n - 2, n + 3)) for _ in range(2))
            index.append(slice(a, b, [None, 1, 2, -1, -3][rng.integers(5)]))
        axis += 1
    return index


def options(index):
    return {"index": index}


def valid(x, index):
    try:
        return x[tuple(index)]
    except IndexError:
        return None


def reading():
    out = []
    for i in range(400):
        name, shape = ALL[i % len(ALL)], [(5,), (3, 4), (2, 3, 4), (4, 1, 3, 2), (0, 3)][i % 5]
        x = numbers(name, shape)
        index = random_index(shape)
        want = valid(x, index)
        if want is not None:
            a = View(x, VIEWS[i % 3]) if i % 2 else x
            out.append(Case("get_indexed", [a], np.asarray(want), o=options(index), jit=i % 4 == 0))
    for name in SOME:
        x = numbers(name, (3, 4, 2))
        m2, m1, m0 = numbers("bool", (3, 4)), numbers("bool", (4,)), numbers("bool", (3, 4, 2))
        rows = np.array([0, 2, -1])
        for index in ([m2], [m0], [slice(None), m1], [..., m1, 0], [0, m1], [m1[:3], 1], [True], [False], [rows, 1, ...],
                      [rows[:, None], slice(None), np.array([0, 1])], [None, rows, slice(1, 3), None],
                      [np.array([0, 2, 1], "u1"), np.array([1, 1, 3], "i8")], [np.zeros((0,), "i4")], [True, rows]):
            out.append(Case("get_indexed", [x], np.asarray(x[tuple(index)]), o=options(index)))
    x = numbers("f32", (3, 4))
    for index in ([3], [0, -5], [0, 0, 0], [..., ...], [slice(0, 1, 0)], [np.ones(3, "f4")], [np.ones(2, bool)]):
        out.append(Case("get_indexed", [x], error="ind", o=options(index)))
    return out


def changed(x, index, values, f):
    y = x.copy()
    f(y, tuple(index), values)
    return y


def assign(y, i, v):
    y[i] = v


# name: what it does to y[i] where no element is meant twice
UPDATES = {"set": assign, "add": lambda y, i, v: assign(y, i, y[i] + v), "subtract": lambda y, i, v: assign(y, i, y[i] - v),
           "multiply": lambda y, i, v: assign(y, i, y[i] * v), "min": lambda y, i, v: assign(y, i, np.minimum(y[i], v)),
           "max": lambda y, i, v: assign(y, i, np.maximum(y[i], v)), "divide": lambda y, i, v: assign(y, i, quotient(y[i], v)),
           "power": lambda y, i, v: assign(y, i, y[i] ** v)}


def quotient(a, b):
    """Of integers cut off towards 0."""
    return np.trunc(wide(a) / wide(b)).astype(a.dtype) if a.dtype.kind in "iu" else a / b


def updates():
    out = []
    for i in range(500):
        name, shape = (["i32", "u8", "i64"] + FLOATS + COMPLEX)[i % 9], [(5,), (3, 4), (2, 3, 4), (4, 1, 3, 2)][i % 4]
        x, index = numbers(name, shape, 1, 5), random_index(shape, with_arrays=False)
        picked = valid(x, index)
        if picked is None:
            continue
        f = list(UPDATES)[i % len(UPDATES)]
        if name in COMPLEX and f in ("min", "max", "power"):
            continue
        values = numbers(name, picked.shape if i % 3 else picked.shape[-1:], 1, 3)
        w, v = (wide(x), wide(values)) if name in FLOATS + COMPLEX else (x, values)
        want = changed(w, index, v, UPDATES[f])
        out.append(Case(f"at.{f}", [View(x, VIEWS[i % 3]), values], want, ulps=0 if f in ("set", "min", "max") else 8, size=1, dtypes=x.dtype,
                        o=options(index), jit=i % 4 == 0))
        if i % 4 == 0:
            want = changed(w, index, None, lambda y, j, _: assign(y, j, y[j] * y[j] + 1))
            out.append(Case("at.apply", [x], want, ulps=4, size=30, dtypes=x.dtype, o=options(index)))
    x, m = numbers("f32", (3, 4)), numbers("bool", (3, 4))
    for index in ([m], [slice(None), m[0]], [m[:, 0], 1], [m[:, 0]]):
        for f in ("set", "add", "multiply", "max"):
            want = changed(x, index, np.float32(2.5), UPDATES[f])
            out.append(Case(f"at.{f}", [x, 2.5], want, ulps=1, o=options(index)))
    # Orientation: a column stays one.
    column = numbers("f32", (3,))
    out.append(Case("at.set", [x, column], changed(x, [slice(None), 0], column, assign), o=options([slice(None), 0])))
    return out


def repeated():
    """Elements meant several times: add ... do each, set keeps the last."""
    out = []
    for name in ("i32", "f32", "f64", "u8"):
        x, places = numbers(name, (6, 3), 1, 4), np.array([0, 2, 2, 5, 0, 0])
        v = numbers(name, (6, 3), 1, 3)
        numpy = {"add": np.add, "multiply": np.multiply, "min": np.minimum, "max": np.maximum, "subtract": np.subtract}
        for f, g in numpy.items():
            want = x.copy() if name in INTEGERS else wide(x)
            g.at(want, places, v if name in INTEGERS else wide(v))
            out.append(Case(f"at.{f}", [x, v], want, ulps=4, size=10, dtypes=x.dtype, o=options([places])))
        out.append(Case("at.set", [x, v], changed(x, [places], v, assign), o=options([places])))
        two = [np.array([[0, 1], [1, 1]]), np.array([2, 2])]
        want = wide(x)
        np.add.at(want, tuple(two), 1.0)
        out.append(Case("at.add", [x, 1], want, dtypes=x.dtype, o=options(two)))
    return out


FILL = {"f32": np.nan, "bf16": np.nan, "i32": -2 ** 31, "u8": 255, "bool": True}


def modes():
    """Indices outside: reads take the nearest, updates change nothing, unless a mode is named. JAX's rules."""
    out, places = [], np.array([-9, -5, -1, 0, 4, 5, 100])
    inside, nearest = np.array([-5, -1, 0, 4]), np.clip(np.where(places < 0, places + 5, places), 0, 4)
    for name, fill in FILL.items():
        x, value = numbers(name, (5, 2)), numbers(name, ())
        lost = (places < -5) | (places > 4)
        out.append(Case("at.get", [x], x[nearest], o=options([places]) | {"mode": "clip"}))
        filled, sevens = x[nearest], x[nearest]
        filled[lost], sevens[lost] = fill, 7
        out.append(Case("at.get", [x], filled, o=options([places]) | {"mode": "fill"}))
        out.append(Case("at.set", [x, value], changed(x, [inside], value, assign), o=options([places]) | {"mode": "drop"}))
        out.append(Case("at.set", [x, value], changed(x, [nearest], value, assign), o=options([places]) | {"mode": "clip"}))
        if name != "bool":
            out.append(Case("at.get", [x], sevens, o=options([places]) | {"mode": "fill", "fill": 7}))
            want = wide(x)
            np.add.at(want, inside, wide(value))
            out.append(Case("at.add", [x, value], want.astype(x.dtype) if x.dtype.kind in "iu" else want, ulps=2, size=20, dtypes=x.dtype,
                            o=options([places])))
    x = np.zeros((3, 4), "f4")
    return out + [Case("at.set", [x, np.ones(3, "f4")], error="broadcast", o=options([0])), Case("at.set", [x, 1], error="at.set: 3 is out of range", o=options([3]))]


def functions():
    out = []
    for i, name in enumerate(ALL):
        x, v = numbers(name, (4, 5)), numbers(name, (3,))
        a = View(x, VIEWS[i % 3])
        places = np.array([0, -1, 7])
        want = x.copy()
        np.put(want, places, v)
        out.append(Case("put", [a, places, v], want))
        out.append(Case("put", [x, np.array([3, 100]), v[:2]], put_clip(x, [3, 100], v[:2]), o={"mode": "clip"}))
        m = numbers("bool", (4, 5))
        want = x.copy()
        np.place(want, m, v)
        out.append(Case("place", [a, m, v], want))
        for shape, wrap in (((3, 3), False), ((7, 3), True), ((7, 3), False), ((3, 3, 3), False), ((2, 5), False)):
            y = numbers(name, shape)
            want = y.copy()
            np.fill_diagonal(want, v[:2], wrap)
            out.append(Case("fill_diagonal", [y, v[:2]], want, o={"wrap": wrap}))
        rows, columns = np.array([0, 2]), np.array([1, 3, -1])
        out.append(Case("ix_", [a, rows, columns], x[np.ix_(rows, columns)]))
        out.append(Case("ix_", [a, m[:, 0], columns], x[np.ix_(m[:, 0], columns)]))
        choice = rng.integers(0, 3, (4, 5))
        other = [x, numbers(name, (5,)), numbers(name, ())]
        out.append(Case("choose", [choice, *other], np.choose(choice, other)))
    return out


def put_clip(x, places, values):
    y = x.copy()
    np.put(y, places, values, mode="clip")
    return y
