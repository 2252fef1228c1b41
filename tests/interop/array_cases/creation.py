# SPDX-License-Identifier: Apache-2.0
"""Creation, questions about types, printing, members of Array."""
import io

import jax
import ml_dtypes
import numpy as np

from .binary import promote
from .case import ALL, COMPLEX, FLOATS, INTEGERS, NAME_OF, NAMES, SOME, VIEWS, Case, View, numbers, rng, wide

SHAPES = [[], [0], [3], [2, 0, 3], [4, 5]]


def cases():
    return filled() + ranges() + matrices() + types() + texts() + members()


def filled():
    out = []
    for i, name in enumerate(ALL):
        dtype, shape = NAMES[name], SHAPES[i % 5]
        o = {"shape": shape, "dtype": name}
        out += [Case("zeros", [], np.zeros(shape, dtype), o=o), Case("ones", [], np.ones(shape, dtype), o=o),
                Case("empty", [], np.zeros(shape, dtype), o=o)]
        x = View(numbers(name, (3, 2)), VIEWS[i % 3])
        out += [Case("zeros_like", [x], np.zeros((3, 2), dtype)), Case("ones_like", [x], np.ones((3, 2), dtype)),
                Case("empty_like", [x], np.zeros((3, 2), dtype)), Case("asarray", [x], x.x),
                Case("zeros_like", [x], np.zeros((3, 2), "f8"), o={"dtype": "f64"}),
                Case("ones_like", [x], np.ones((3, 2), "i4"), o={"dtype": "i32"}),
                Case("empty_like", [x], np.zeros((3, 2), "i4"), o={"dtype": "i32"}),
                Case("full_like", [x, numbers(name, ())], None, check=lambda y, d=dtype: same(y.dtype, d)),
                Case("full_like", [x, 1], np.ones((3, 2), "u1"), o={"dtype": "u8"})]
        row = numbers(name, (5,))
        out.append(Case("full", [row], np.broadcast_to(row, (2, 5)), o={"shape": [2, 5]}))
        out.append(Case("full", [1], np.ones(shape, dtype), o={"shape": shape, "dtype": name}))
    for number, dtype in ((True, "?"), (3, "i4"), (2.5, "f4"), (1 + 2j, "c8")):
        out.append(Case("full", [number], np.full([2], number, dtype), o={"shape": [2]}))
        out.append(Case("asarray", [number], np.asarray(number, dtype)))
    out.append(Case("zeros", [], error="", o={"shape": [2, -1]}))
    return out


def same(a, b):
    assert a == b, (a, b)


def ranges():
    out = []
    for args in ([5], [0], [-3], [2, 9], [2, 9, 3], [9, 2, -2], [3, 9, 7], [0, 4000000000, 1000000000]):
        want = np.arange(*args)
        wide_ = args[-1] > 2 ** 31
        out.append(Case("arange", [], want, dtypes=np.dtype("i8" if wide_ or max(args) > 2 ** 31 else "i4"),
                        o={"numbers": args}))
    for args in ([2.5], [0.5, 3.0], [0.0, 1.0, 0.1], [1.0, -1.0, -0.25], [0.0, 5.0, 2.0]):
        out.append(Case("arange", [], np.arange(*args), ulps=1, dtypes=np.dtype("f4"), o={"numbers": args}))
        out.append(Case("arange", [], np.arange(*args), ulps=4, o={"numbers": args, "dtype": "f64"}))
    for name in INTEGERS + FLOATS:
        out.append(Case("arange", [], np.arange(1, 20, 3), dtypes=NAMES[name], o={"numbers": [1, 20, 3], "dtype": name}))
    out.append(Case("arange", [], error="step", o={"numbers": [0, 3, 0]}))
    for num in (0, 1, 2, 7, 50):
        for endpoint in (True, False):
            o = {"num": num, "endpoint": endpoint}
            out.append(Case("linspace", [], np.linspace(-1.5, 3, num, endpoint), ulps=2, size=3, dtypes=np.dtype("f4"),
                            o=o | {"start": -1.5, "stop": 3}))
            out.append(Case("linspace", [], np.linspace(-1, 3 + 2j, num, endpoint), ulps=4, size=3, dtypes=np.dtype("c16"),
                            o=o | {"start": -1, "stop": 3 + 2j, "dtype": "complex128"}))
            out.append(Case("logspace", [], np.logspace(-1, 2, num, endpoint, 2), ulps=8,
                            o=o | {"start": -1, "stop": 2, "base": 2, "dtype": "f64"}))
            out.append(Case("geomspace", [], np.geomspace(-1, -64, num, endpoint), ulps=8,
                            o=o | {"start": -1, "stop": -64, "dtype": "f64"}))
    out.append(Case("linspace", [], np.linspace(0, 10, 4, dtype=np.int32), o={"start": 0, "stop": 10, "num": 4, "dtype": "i32"}))
    return out


def matrices():
    out = []
    for i, name in enumerate(ALL):
        dtype = NAMES[name]
        for n, m, k in ((3, None, 0), (2, 5, 1), (4, 3, -2), (3, 3, 9), (0, 2, 0)):
            o = {"n": n, "k": k, "dtype": name} | ({} if m is None else {"columns": m})
            out.append(Case("eye", [], np.eye(n, m, k, dtype), o=o))
            out.append(Case("tri", [], np.tri(n, m, k, dtype), o=o))
        out.append(Case("identity", [], np.identity(4, dtype), o={"n": 4, "dtype": name}))
        x, v = numbers(name, (2, 3, 4)), numbers(name, (4,))
        for k in (0, 1, -2, 7):
            out.append(Case("tril", [x], np.tril(x, k), o={"k": k}))
            out.append(Case("triu", [View(x, VIEWS[i % 3])], np.triu(x, k), o={"k": k}))
            out.append(Case("diag", [v], np.diag(v, k), o={"k": k}))
            out.append(Case("diagflat", [x[0]], np.diagflat(x[0], k), o={"k": k}))
            if k < 4:
                out.append(Case("diag", [x[0]], np.diag(x[0], k), o={"k": k}))
        if name in ("i32", "f32", "f64", "complex64", "u8"):
            small = numbers(name, (4,), -3, 3)
            for o in ({}, {"columns": 2}, {"columns": 6, "increasing": True}, {"columns": 0}):
                want = np.vander(wide(small), o.get("columns"), o.get("increasing", False))
                out.append(Case("vander", [small], want.astype(dtype) if name in INTEGERS else want, ulps=16, dtypes=dtype, o=o))
        a, b, c = numbers(name, (2,)), numbers(name, (3,)), numbers(name, (1,))
        for mode in ("xy", "ij"):
            out.append(Case("meshgrid", [a, b, c], [np.ascontiguousarray(g) for g in np.meshgrid(a, b, c, indexing=mode)],
                            o={"indexing": mode}))
    out.append(Case("meshgrid", [a], [a]))
    out.append(Case("indices", [], np.indices((2, 3), np.int32), o={"shape": [2, 3]}))
    out.append(Case("indices", [], np.indices((4,), np.float32), o={"shape": [4], "dtype": "f32"}))
    return out


def text(x):
    return np.frombuffer(x.encode(), np.uint8)


KINDS = {"bool": "?", "signed integer": "i", "unsigned integer": "u", "integral": "iu", "complex floating": "c"}


def types():
    out = []
    for a in ALL:
        for b in ALL:
            x, y = np.ones(2, NAMES[a]), np.ones((), NAMES[b])
            name = NAME_OF[promote(x.dtype, y.dtype)]
            out.append(Case("result_type", [x, y], [text(name)] * 2))
            if "bf16" not in (a, b):
                can = np.asarray(np.can_cast(NAMES[a], NAMES[b]))
                out.append(Case("can_cast", [x], [can, can], o={"dtype": b}))
            # Conversions that are defined everywhere: small numbers, no NaN.
            source = numbers(a, (3, 5), 0, 9)
            if not (a in COMPLEX and b not in COMPLEX):
                out.append(Case("astype", [source], source.astype(NAMES[b]), o={"dtype": b}))
        kinds = {k for k, letters in KINDS.items() if NAMES[a].kind.replace("b", "?") in letters}
        kinds |= {"real floating"} if a in FLOATS else set()
        kinds |= {"numeric"} if a != "bool" else set()
        for kind in list(KINDS) + ["real floating", "numeric"]:
            out.append(Case("isdtype", [], np.asarray(kind in kinds), o={"dtype": a, "kind": kind}))
    for name in FLOATS + COMPLEX:
        f = ml_dtypes.finfo(NAMES[name])
        want = np.array([f.bits, f.eps, f.max, f.min, f.smallest_normal, f.smallest_subnormal, f.precision], np.float64)
        part = {"complex64": "f32", "complex128": "f64"}.get(name, name)
        out.append(Case("finfo", [], [want, text(part)], o={"dtype": name}))
    for name in INTEGERS:
        i = np.iinfo(NAMES[name])
        out.append(Case("iinfo", [], [np.array([i.bits, i.min]), np.array([i.max], np.uint64), text(name)], o={"dtype": name}))
    out += [Case("finfo", [], error="finfo", o={"dtype": "i32"}), Case("iinfo", [], error="iinfo", o={"dtype": "f32"}),
            Case("isdtype", [], error="kind", o={"dtype": "i32", "kind": "float"})]
    # Rounding to the narrower type, ties to even; beyond it infinity.
    x = np.concatenate([rng.normal(0, 1, 200) * 10.0 ** rng.integers(-45, 40, 200), [np.inf, -np.inf, np.nan, 65520, 65519.9]])
    for a in ("f32", "f64"):
        for b in FLOATS:
            source = x.astype(NAMES[a])
            out.append(Case("astype", [source], source.astype(NAMES[b]), o={"dtype": b}))
    return out


def texts():
    out = []
    arrays = [np.arange(3), np.arange(12).reshape(3, 4), np.array([1.5, -2, 1e10], "f4"), np.array([0.1, 1 / 3]),
              np.zeros((0,), "f4"), np.zeros((2, 0)), np.array(3.0), np.array([True, False]), np.array([[1e-5, 1.0]]),
              np.array([np.nan, np.inf, -np.inf, 1]), np.arange(2000), np.arange(10000.0).reshape(100, 100),
              np.array([1 + 2j, -0.5j]), np.linspace(0, 1, 30), np.arange(24, dtype="u1").reshape(2, 3, 4),
              np.array([-1, 100], "i8"), np.array([1e300, 1e-300]), np.array([0.1, 100], "f2"), np.array(-0.0),
              rng.normal(0, 1, (7, 9)), rng.normal(0, 1e-4, (4, 5)).astype("f4"), np.array([1e16, 1.0]),
              rng.normal(0, 1, (3, 3)).astype("c8"), np.arange(1100.0).reshape(11, 100)]
    for x in arrays:
        out.append(Case("to_string", [x], text(str(x))))
        if x.ndim == 2:
            out.append(Case("to_string", [View(x, "transposed")], text(str(x))))
    return out


def members():
    out = []
    for name in ["bool", "i8", "u64", "f16", "bf16", "f32", "f64"]:
        for x in (numbers(name, (2, 3)), View(numbers(name, (3, 4)), "strided"), numbers(name, ()), numbers(name, (1,))):
            raw = np.asarray(getattr(x, "x", x))
            full = raw.astype("f8")
            out.append(Case("members", [x], [full, raw.reshape(-1), raw.T, full.reshape(-1),
                                             full.reshape(()) if raw.size == 1 else np.asarray(0, "f4"),
                                             raw.reshape(-1) if name == "f32" else raw, np.array(raw.shape, "i8"),
                                             np.array([raw.ndim, raw.size, raw.shape[-1] if raw.ndim else -1]), raw],
                            dtypes=[None] * 4 + [np.dtype("f4")] + [None] * 4))
    return out
