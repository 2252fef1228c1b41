# SPDX-License-Identifier: Apache-2.0
"""Statistics of several variables, counting, interpolation, signals, files."""
import io

import numpy as np

from .case import ALL, BF16, COMPLEX, FLOATS, INTEGERS, NAMES, REALS, SIGNED, UNSIGNED, VIEWS, Case, View, inexact, numbers, plain, rng, wide

F32 = np.dtype("f4")
MATHS = ["f32", "f64", "f16", "bf16", "i32"]


def cases():
    return variables() + counting() + calculus() + signals() + files()


def floating(name):
    return inexact(NAMES[name])


def variables():
    out = []
    for name in MATHS + COMPLEX:
        x, y = numbers(name, (3, 8)), numbers(name, (2, 8))
        w, z, k = wide(x), wide(y), {"ulps": 32, "size": 81, "dtypes": floating(name)}
        times, weights = rng.integers(1, 4, 8).astype("i4"), rng.uniform(0.5, 2, 8).astype("f4")
        out += [Case("cov", [x], np.cov(w), **k), Case("cov", [View(x, "reversed")], np.cov(w, ddof=0), o={"correction": 0}, **k),
                Case("cov", [x.T.copy()], np.cov(w), o={"rowvar": False}, **k), Case("cov", [x, y], np.cov(w, z), **k),
                Case("cov", [x[0]], np.asarray(np.cov(w[0])), **k)]
        if name in ("f32", "f64"):
            out.append(Case("cov", [x], np.cov(w, fweights=times), o={"fweights": times}, **k))
            out.append(Case("cov", [x], np.cov(w, aweights=wide(weights)), o={"aweights": weights}, **k))
        k["size"] = 1
        out += [Case("corrcoef", [x], np.corrcoef(w), **k), Case("corrcoef", [x.T.copy()], np.corrcoef(w), o={"rowvar": False}, **k)]
    return out


def counting():
    out = []
    for name in INTEGERS:
        x, w = numbers(name, (20,), 0, 9), rng.uniform(0, 1, 20).astype("f4")
        n = x.astype("i8")
        out += [Case("bincount", [x], np.bincount(n).astype("i4")), Case("bincount", [x], np.bincount(n, minlength=15).astype("i4"), o={"minlength": 15}),
                Case("bincount", [x], np.bincount(n, wide(w)), ulps=16, dtypes=F32, o={"weights": w}),
                Case("bincount", [x], np.bincount(n, minlength=10).astype("i4")[:4], o={"length": 4}, jit=True),
                Case("bincount", [x[:0]], np.zeros(0, "i4"))]
    out.append(Case("bincount", [np.array([1, -1])], error="bincount"))
    for name in FLOATS + ["i32", "u8"]:
        x, w = numbers(name, (50,)), rng.uniform(0, 1, 50).astype("f4")
        edges = np.array([-8, -1, 0, 2, 9], NAMES[name]) if name != "u8" else np.array([0, 1, 3, 5, 9], "u1")
        want = np.histogram(wide(x), wide(edges))[0]
        out.append(Case("histogram", [x, edges], None, check=histogram(want, wide(edges))))
        weighted = np.histogram(wide(x), wide(edges), weights=wide(w))[0]
        out.append(Case("histogram", [x, edges], None, o={"weights": w}, check=histogram(weighted, wide(edges), 1e-2 if name == "bf16" else 1e-4)))
        if name in ("f32", "f64", "i32"):
            density = np.histogram(wide(x), 7, density=True)
            out.append(Case("histogram", [x], None, o={"bins": 7, "density": True}, check=histogram(*density, 1e-5)))
            ranged = np.histogram(wide(x), 5, (-3.5, 4.25))
            out.append(Case("histogram", [x], None, o={"bins": 5, "range": [-3.5, 4.25]}, check=histogram(*ranged)))
            out.append(Case("histogram_bin_edges", [x], np.histogram_bin_edges(wide(x), 6), ulps=4, size=9, dtypes=floating(name), o={"bins": 6}))
        for right in (False, True):
            for bins in (edges, edges[::-1].copy()):
                out.append(Case("digitize", [x, bins], np.digitize(wide(x), wide(bins), right).astype("i4"), o={"right": right}))
    out.append(Case("histogram", [np.zeros(0, "f4")], None, o={"bins": 3}, check=histogram(*np.histogram([], 3))))
    out.append(Case("histogram", [np.full(4, 2, "f4")], None, o={"bins": 3}, check=histogram(*np.histogram(np.full(4, 2.0), 3), 1e-6)))
    return out


def histogram(counts, edges, tolerance=0):
    def check(got_counts, got_edges):
        np.testing.assert_allclose(wide(got_counts), counts, rtol=tolerance, atol=0)
        np.testing.assert_allclose(wide(got_edges), edges, rtol=1e-5, atol=1e-5)
    return check


def calculus():
    out = []
    for name in MATHS:
        x, fp = numbers(name, (3, 9), -12, 12), numbers(name, (7,))
        xp = np.array([-9, -5, -1, 0, 2, 6, 9], NAMES[name])
        k = {"ulps": 16, "size": 40, "dtypes": floating(name)}
        out.append(Case("interp", [x, xp, fp], np.interp(wide(x), wide(xp), wide(fp)), **k))
        out.append(Case("interp", [View(x, "transposed"), xp, fp], np.interp(wide(x), wide(xp), wide(fp), -1, 7), o={"left": -1, "right": 7}, **k))
        out.append(Case("interp", [xp, xp, fp], wide(fp), **k))
        if name in ("f32", "f64", "i32"):
            mixed = rng.permutation(xp)
            out.append(Case("interp", [x, mixed, fp], np.interp(wide(x), wide(mixed), wide(fp), period=24), o={"period": 24}, **k))
        y, places = numbers(name, (4, 6)), np.cumsum(np.ones(6)).astype(NAMES[name])
        out += [Case("trapezoid", [y], np.trapezoid(wide(y)), **k), Case("trapezoid", [y], np.trapezoid(wide(y), dx=0.5, axis=0), o={"dx": 0.5, "axis": 0}, **k),
                Case("trapezoid", [y], np.trapezoid(wide(y), wide(places)), o={"places": places}, **k)]
        for edge in (1, 2):
            out.append(Case("gradient", [y], list(np.gradient(wide(y), edge_order=edge)), o={"edge_order": edge}, **k))
            square = (np.arange(6) ** 2).astype(NAMES[name])
            out.append(Case("gradient", [y], [np.gradient(wide(y), wide(square), axis=1, edge_order=edge)], ulps=32, size=100, dtypes=k["dtypes"],
                            o={"spacing": [square], "axis": 1, "edge_order": edge}))
        out.append(Case("gradient", [y], list(np.gradient(wide(y), 2, 0.5)), ulps=16, size=80, dtypes=k["dtypes"], o={"spacing": [2, 0.5]}))
        v = numbers(name, (2, 4), 1, 9)
        end = v[0, :2]
        w = wide(v) if name != "i32" else v
        out.append(Case("ediff1d", [v], np.ediff1d(w), ulps=1, size=18, dtypes=v.dtype))
        out.append(Case("ediff1d", [v], np.ediff1d(w, wide(end) if name != "i32" else end, wide(v[0, :1]) if name != "i32" else v[0, :1]), ulps=1, size=18,
                        dtypes=v.dtype, o={"to_end": end, "to_begin": v[0, :1]}))
    out.append(Case("gradient", [np.ones((1,), "f4")], error="gradient"))
    return out


def signals():
    out = []
    for name in ALL:
        if name == "bool":
            continue
        for n, m in ((7, 3), (3, 7), (1, 1), (40, 9)):
            a, v = numbers(name, (n,), -3, 3), numbers(name, (m,), -3, 3)
            w, z = (a, v) if name in INTEGERS else (wide(a), wide(v))
            for mode in ("full", "same", "valid"):
                k = {"ulps": 8, "size": 9.0 * 2 * min(n, m), "dtypes": a.dtype, "o": {"mode": mode}}
                out.append(Case("convolve", [a, v], np.convolve(w, z, mode), **k))
                out.append(Case("correlate", [View(a, "strided"), v], np.correlate(w, z, mode), **k))
    x = np.ones(3, "f4")
    return out + [Case("convolve", [x, x[:0]], error="convolve"), Case("convolve", [x, x], error="mode", o={"mode": "half"})]


def npy(x, **kwargs):
    file = io.BytesIO()
    np.lib.format.write_array(file, x, **kwargs)
    return np.frombuffer(file.getvalue(), np.uint8)


def is_npy(x):
    def check(got):
        np.testing.assert_array_equal(np.load(io.BytesIO(got.tobytes())), x)
    return check


def files():
    out = []
    for name in ALL:
        if name == "bf16":
            continue
        for shape in ((), (0,), (3, 4), (2, 0, 1)):
            x = numbers(name, shape)
            out.append(Case("npy_bytes", [x], None, check=is_npy(x)))
            out.append(Case("parse_npy", [npy(x)], x))
            out.append(Case("parse_npy", [npy(x.copy(order="F"))], x))
            out.append(Case("parse_npy", [npy(x.astype(x.dtype.newbyteorder(">")))], x))
            out.append(Case("parse_npy", [npy(x, version=(2, 0))], x))
    x, y = numbers("f32", (2, 3)), numbers("i8", (4,))
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, a=x, b=y)
        data = np.frombuffer(file.getvalue(), np.uint8)
        names = [np.frombuffer(n, np.uint8) for n in (b"a", b"b")]
        out.append(Case("parse_npz", [data], [names[0], x, names[1], y]))
        out.append(Case("parse_npz", [data[:100]], error="a case"))
    out.append(Case("parse_npy", [npy(x)[:-1]], error="a case"))
    out.append(Case("load_npy", [], error="/nowhere/x.npy", o={"path": "/nowhere/x.npy"}))
    return out + [Case("save_npy", [x], error="/nowhere/x.npy", o={"path": "/nowhere/x.npy"})]
