# SPDX-License-Identifier: Apache-2.0
"""Linear algebra, einsum, Fourier transforms. Sums of K terms: errors are compared with the sum of their sizes."""
import numpy as np
import scipy.linalg

from .binary import promote
from .case import (ALL, BOOL, COMPLEX, FLOATS, INTEGERS, NAMES, NUMBERS, REALS, VIEWS, WIDE, Case, View, inexact, is_complex,
                   is_float, numbers, plain, real_part, rng, wide)

MATMULS = [((3,), (3,)), ((4, 3), (3,)), ((3,), (3, 5)), ((4, 3), (3, 5)), ((2, 4, 3), (3, 5)), ((2, 1, 4, 3), (5, 3, 2)),
           ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((1, 1), (1, 1)), ((17, 33), (33, 9)), ((5, 1), (1, 6)), ((2, 0, 3), (2, 3, 4))]


def product(f, a, b, function, o=None, jit=False, **kwargs):
    """A case of f, which is bilinear; `function` on absolute values gives the size of what was added up."""
    x, y = np.asarray(plain(a)), np.asarray(plain(b))
    dtype = promote(x.dtype, y.dtype)
    if dtype.kind in "biu":
        x, y = x.astype(dtype), y.astype(dtype)
        return Case(f, [a, b], np.asarray(function(x, y, **kwargs)), o=o, dtypes=dtype, jit=jit)
    x, y = wide(x, dtype), wide(y, dtype)
    return Case(f, [a, b], np.asarray(function(x, y, **kwargs)), ulps=8, size=function(np.abs(x), np.abs(y), **kwargs), o=o,
                dtypes=dtype, jit=jit)


def cases():
    return products() + parts() + einsums() + systems() + factors() + norms() + fourier()


def products():
    out = []
    for i, name in enumerate(ALL):
        for a, b in MATMULS:
            x, y = numbers(name, a, -5, 5), numbers(name, b, -5, 5)
            out.append(product("matmul", x, y, np.matmul, jit=i % 2 == 0))
            out.append(product("matmul", View(x, VIEWS[i % 3]), View(y, VIEWS[(i + 1) % 3]), np.matmul))
        v, w, m, n = numbers(name, (6,)), numbers(name, (6,)), numbers(name, (2, 6)), numbers(name, (6, 3))
        s, t = numbers(name, ()), numbers(name, (2, 3, 6))
        for a, b in ((v, w), (m, v), (m, n), (t, n), (s, m), (v, s)):
            out.append(product("dot", a, b, np.dot))
        out.append(product("vdot", m, m[::-1].copy(), np.vdot))
        for a, b in ((v, w), (t, m), (s, m)):
            out.append(product("inner", a, b, np.inner))
        out.append(product("outer", v, m, np.outer))
        out.append(product("vecdot", t, m[:, None], np.vecdot))
        if name != "bool":
            out.append(product("vecdot", n, n, np.vecdot, {"axis": 0}, axis=0))
            out.append(product("kron", m[:, :2], n, np.kron))
            out.append(product("kron", v, m, np.kron))
            out.append(product("cross", n, n[::-1].copy(), cross, None))
            out.append(product("cross", n[:3], n[3:], cross, {"axis": 0}, axis=0))
        out.append(product("tensordot", t, numbers(name, (3, 6, 2)), np.tensordot))
        out.append(product("tensordot", m, t, np.tensordot, {"axes": 0}, axes=0))
        out.append(product("tensordot", t, n, np.tensordot, {"a_axes": [2], "b_axes": [0]}, axes=([2], [0])))
        out.append(product("tensordot", t, t, np.tensordot, {"a_axes": [0, -1], "b_axes": [0, 2]}, axes=([0, -1], [0, 2])))
        if name in FLOATS + COMPLEX + ["i32", "u8"]:
            chain = [numbers(name, d, -2, 2) for d in ((3,), (3, 9), (9, 2), (2, 5))]
            w = [wide(c) for c in chain]
            want = np.linalg.multi_dot(w)
            size = np.linalg.multi_dot([np.abs(c) for c in w])
            out.append(Case("multi_dot", chain, want.astype(chain[0].dtype) if name in INTEGERS else want, ulps=16, size=size,
                            dtypes=chain[0].dtype))
            square = numbers(name, (2, 3, 3), -2, 2)
            for k in (0, 1, 2, 5):
                w = np.linalg.matrix_power(wide(square) if name not in INTEGERS else square, k)
                size = np.linalg.matrix_power(np.abs(wide(square)), k)
                out.append(Case("matrix_power", [square], w, ulps=16, size=size, dtypes=square.dtype, o={"n": k}))
    for a, b in (("i32", "f32"), ("f16", "bf16"), ("f32", "f64"), ("u8", "i8"), ("f32", "complex64")):
        out.append(product("matmul", numbers(a, (3, 4)), numbers(b, (4, 2)), np.matmul))
    x, y = np.ones((2, 3), "f4"), np.ones((2, 3), "f4")
    out += [Case("matmul", [x, y], error="matmul: inner sizes differ: 3 != 2"), Case("matmul", [x, np.float32(2)], error="matmul"),
            Case("dot", [x, y], error="dot"), Case("vdot", [x, y[0]], error="vdot"), Case("cross", [x[:, :2], x], error="cross")]
    return out


def cross(a, b, axis=-1):
    """np.cross; of absolute values an upper bound."""
    if np.all(np.asarray(a) >= 0) and np.all(np.asarray(b) >= 0) and a.dtype == np.float64:
        a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
        return np.moveaxis(np.roll(a, -1, -1) * np.roll(b, 1, -1) + np.roll(a, 1, -1) * np.roll(b, -1, -1), -1, axis)
    return np.cross(a, b, axis=axis)


def parts():
    out = []
    for i, name in enumerate(ALL):
        x = numbers(name, (2, 3, 4))
        a = View(x, VIEWS[i % 3])
        out.append(Case("matrix_transpose", [a], np.swapaxes(x, -1, -2)))
        for offset in (0, 1, -2, 3):
            out.append(Case("diagonal", [a], np.diagonal(x, offset, -2, -1), o={"offset": offset}))
            if name != "bool":
                summed = np.trace(x if name in INTEGERS else wide(x), offset, -2, -1)
                dtype = {1: "4", 2: "4"}.get(x.dtype.itemsize, str(x.dtype.itemsize)) if name in INTEGERS else None
                dtype = np.dtype(x.dtype.kind + dtype) if dtype else x.dtype
                out.append(Case("trace", [a], summed, ulps=4, size=30, dtypes=dtype, o={"offset": offset}))
    out.append(Case("trace", [np.ones((3, 3), "u1")], np.asarray(3.0), o={"dtype": "f64"}))
    return out


EINSUMS = [("ij,jk->ik", (3, 4), (4, 5)), ("ij,jk", (3, 4), (4, 5)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("i,i->", (6,), (6,)),
           ("i,j->ij", (3,), (4,)), ("ii->i", (4, 4)), ("ii", (4, 4)), ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("ba", (2, 3)),
           ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)), ("...i->...", (2, 3, 4)), ("ijk,k,j->i", (2, 3, 4), (4,), (3,)),
           ("ij,ij->ij", (3, 4), (3, 1)), ("ij,jk,kl,lm->im", (2, 3), (3, 4), (4, 2), (2, 5)), ("iij->j", (3, 3, 2)),
           ("i...,...->...i", (2, 3), (3,)), ("ij,kj->ik", (0, 3), (2, 3)), ("ij,jk->ik", (2, 0), (0, 3)), (" i j , j -> i ", (2, 3), (3,)),
           ("abc,bd,cd,e->ae", (2, 3, 4), (3, 5), (4, 5), (2,)), (",i->i", (), (3,)), ("i,->", (3,), ())]


def einsums():
    out = []
    for i, (equation, *shapes) in enumerate(EINSUMS):
        for name in ("i32", "u8", "bool", "f16", "bf16", "f32", "f64", "complex64", "complex128"):
            x = [numbers(name, s, -3, 3) for s in shapes]
            if name in INTEGERS + BOOL:
                want, size, ulps = np.einsum(equation, *x), 0, 0
                if name == "bool":
                    want = np.einsum(equation, *[a.astype("i8") for a in x]) > 0
            else:
                want = np.einsum(equation, *[wide(a) for a in x])
                size, ulps = np.einsum(equation, *[np.abs(wide(a)) for a in x]), 8 * len(x)
            args = [View(a, VIEWS[i % 3]) for a in x] if i % 2 else x
            out.append(Case("einsum", args, np.asarray(want), ulps=ulps, size=size, dtypes=x[0].dtype, o={"equation": equation}))
    shapes = ((10, 20), (20, 1), (1, 30))
    out.append(Case("einsum_path", [np.ones(s, "f4") for s in shapes], None, o={"equation": "ij,jk,kl->il"}, check=contracts_three))
    out += [Case("einsum", [np.ones((2, 3))], error="einsum", o={"equation": e}) for e in ("i", "ij->ik", "i%j", "ijk", "ij,jk", "ij->ii")]
    return out


def contracts_three(path):
    """20 * 10 products first, then 10 * 30: any other order needs more."""
    np.testing.assert_array_equal(path.reshape(-1, 2)[0], [0, 1])


def well(name, shape):
    """Matrices far from singular."""
    n = min(shape[-2:])
    x = wide(numbers(name, shape, -1, 1))
    x[..., range(n), range(n)] += 3
    return x.astype(NAMES[name])


def hermitian(name, n, batch=()):
    x = wide(numbers(name, (*batch, n, n), -1, 1))
    h = (x + np.conj(np.swapaxes(x, -1, -2))) / 2
    h[..., range(n), range(n)] += 3 + np.arange(n)
    return h.astype(NAMES[name])


def systems():
    out = []
    for i, name in enumerate(WIDE + ["bf16"]):
        for shape in ((1, 1), (4, 4), (2, 5, 5), (0, 3, 3), (0, 0), (30, 30)):
            a = well(name, shape)
            v = View(a, "transposed") if len(shape) == 2 else a
            n = shape[-1]
            b, c = numbers(name, (n,), -3, 3), numbers(name, (*shape[:-1], 2), -3, 3)
            k = {"ulps": 40 + 8 * n, "size": 4}
            w = wide(a)
            out.append(Case("solve", [v, b], np.linalg.solve(w, wide(b)), dtypes=a.dtype, **k))
            out.append(Case("solve", [v, c], np.linalg.solve(w, wide(c)), dtypes=a.dtype, jit=True, **k))
            out.append(Case("inv", [v], np.linalg.inv(w), dtypes=a.dtype, **k))
            det = np.linalg.det(w)
            if n < 30:
                out.append(Case("det", [v], det, dtypes=a.dtype, ulps=64, size=np.abs(det)))
                out.append(Case("matrix_power", [v], np.linalg.matrix_power(np.linalg.inv(w), 2), dtypes=a.dtype, o={"n": -2}, **k))
            sign, logs = np.linalg.slogdet(w)
            out.append(Case("slogdet", [v], [sign, logs], ulps=64, size=10, dtypes=[a.dtype, real_part(a.dtype)]))
    a = np.array([[2, 1], [1, 3]])
    out.append(Case("solve", [a, np.array([3, 5])], np.linalg.solve(a, [3, 5]), ulps=8, size=2, dtypes=np.dtype("f4")))
    for name in WIDE:
        for shape in ((5, 3), (3, 5), (2, 4, 4), (1, 1)):
            a = numbers(name, shape, -2, 2)
            w, part = wide(a), real_part(a.dtype)
            out.append(Case("pinv", [a], np.linalg.pinv(w), ulps=1000, size=4, dtypes=a.dtype))
            out.append(Case("svdvals", [a], np.linalg.svd(w, compute_uv=False), ulps=64, size=6, dtypes=part))
            out.append(Case("matrix_rank", [a], np.asarray(np.linalg.matrix_rank(w), np.int32)))
            if len(shape) == 2:
                b = numbers(name, (shape[0], 2), -2, 2)
                x, residuals, rank, s = np.linalg.lstsq(w, wide(b))
                out.append(Case("lstsq", [a, b], None, check=least_squares(x, residuals, rank, s, a.dtype)))
        low = numbers(name, (6, 2), -2, 2)
        flat = (wide(low) @ wide(numbers(name, (2, 5), -2, 2))).astype(low.dtype)
        out.append(Case("matrix_rank", [flat], np.asarray(2, np.int32)))
        out.append(Case("pinv", [flat], np.linalg.pinv(wide(flat), 1e-3), ulps=4000, size=4, dtypes=flat.dtype, o={"rtol": 1e-3}))
    out.append(Case("matrix_rank", [np.diag([1, 0.1, 1e-3]).astype("f4")], np.asarray(2, "i4"), o={"rtol": 1e-2}))
    for name in WIDE:
        for shape, scale in (((1, 1), 1), ((4, 4), 0.1), ((2, 5, 5), 1), ((3, 3), 30), ((0, 0), 1), ((2, 3, 3), 1e-9)):
            a = (wide(numbers(name, shape, -1, 1)) * scale).astype(NAMES[name])
            want = scipy.linalg.expm(wide(a)) if a.size else wide(a)
            out.append(Case("expm", [a], want, ulps=200 * max(scale, 1), size=np.max(np.abs(want), initial=0), dtypes=a.dtype, jit=scale == 1))
    huge = np.array([[1, 2], [3, 4]], "f4") * 1e6
    out += [Case("expm", [huge], np.full((2, 2), np.nan, "f4")), Case("expm", [np.array([[0, 1], [0, 0]])], np.array([[1, 1], [0, 1]], "f4"), ulps=2),
            Case("expm", [np.ones((2, 3))], error="expm: needs square matrices")]
    # No inverse: infinities or NaN and no error, as in JAX.
    out.append(Case("det", [np.ones((2, 2), "f4")], np.asarray(0, "f4")))
    out.append(Case("inv", [np.zeros((2, 2), "f4")], None, check=lambda x: _assert(not np.isfinite(x).any(), x)))
    out.append(Case("cholesky", [-np.eye(2, dtype="f4")], None, check=lambda x: _assert(np.isnan(x).any(), x)))
    x = np.ones((2, 3), "f4")
    out += [Case(f, [x], error=f) for f in ("inv", "det", "cholesky", "eigh", "eig", "slogdet")]
    return out + [Case("solve", [x, x], error="solve"), Case("inv", [x[0]], error="inv")]


def _assert(condition, what):
    assert condition, what


def near(got, want, ulps, size, dtype):
    from .case import compare
    compare("part", np.asarray(got, dtype), np.asarray(want), np.dtype(dtype), ulps, size)


def least_squares(x, residuals, rank, s, dtype):
    def check(got_x, got_residuals, got_rank, got_s):
        near(got_x, x, 1000, 4, dtype)
        near(got_s, s, 64, 6, real_part(dtype))
        _assert(int(got_rank) == int(rank), got_rank)
        if residuals.size:
            near(got_residuals, residuals, 1000, 20, real_part(dtype))
    return check


def factors():
    """Factors are unique up to signs and phases, so it is what defines them that is checked."""
    out = []
    for name in WIDE + ["f16"]:
        for n, batch in ((1, ()), (4, ()), (3, (2,)), (0, ()), (20, ())):
            h = hermitian(name, n, batch)
            w, eps = wide(h), float(np.finfo(real_part(h.dtype)).eps)
            k = {"ulps": 32 + 8 * n, "size": 25}
            lower = np.linalg.cholesky(w)
            out.append(Case("cholesky", [h], lower, dtypes=h.dtype, **k))
            out.append(Case("cholesky", [h], np.conj(np.swapaxes(lower, -1, -2)), dtypes=h.dtype, o={"upper": True}, **k))
            out.append(Case("eigvalsh", [h], np.linalg.eigvalsh(w), dtypes=real_part(h.dtype), **k))
            out.append(Case("eigh", [h], None, check=is_eigh(w, h.dtype, eps * (64 + 16 * n))))
            out.append(Case("eig", [h], None, check=is_eig(w, eps * (500 + 50 * n))))
            out.append(Case("eigvals", [h], None, check=is_spectrum(w, eps * (500 + 50 * n))))
        for shape in ((5, 3), (3, 5), (2, 4, 4), (0, 3), (17, 16)):
            a = numbers(name, shape, -2, 2)
            w, eps = wide(a), float(np.finfo(real_part(a.dtype)).eps)
            tol = eps * 30 * max(shape)
            out.append(Case("qr", [a], None, check=is_qr(w, tol, min(shape[-2:]))))
            out.append(Case("qr", [a], None, check=is_qr(w, tol, shape[-2]), o={"mode": "complete"}))
            out.append(Case("svd", [a], None, check=is_svd(w, tol, True)))
            out.append(Case("svd", [a], None, check=is_svd(w, tol, False), o={"full_matrices": False}))
    return out


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def small(x, tolerance):
    _assert(np.max(np.abs(x), initial=0) <= tolerance, (np.max(np.abs(x), initial=0), tolerance))


def unitary(q, tolerance):
    q = wide(q)
    small(adjoint(q) @ q - np.eye(q.shape[-1]), tolerance)


def is_eigh(w, dtype, tolerance):
    def check(values, vectors):
        _assert(values.dtype == real_part(dtype) and vectors.dtype == dtype, (values.dtype, vectors.dtype))
        unitary(vectors, tolerance)
        small(w @ wide(vectors) - wide(vectors) * wide(values)[..., None, :], tolerance * 30)
        _assert(np.all(np.diff(wide(values)) >= 0), values)
    return check


def is_eig(w, tolerance):
    def check(values, vectors):
        _assert(is_complex(values.dtype) and is_complex(vectors.dtype), values.dtype)
        small(w @ wide(vectors) - wide(vectors) * wide(values)[..., None, :], tolerance * 30)
        small(np.linalg.norm(wide(vectors), axis=-2) - 1, tolerance)
    return check


def is_spectrum(w, tolerance):
    return lambda values: small(np.sort(wide(values).real) - np.sort(np.linalg.eigvals(w).real), tolerance * 30)


def is_qr(w, tolerance, columns):
    def check(q, r):
        _assert(q.shape[-1] == columns == r.shape[-2], (q.shape, r.shape))
        unitary(q, tolerance)
        small(wide(q) @ wide(r) - w, tolerance * 10)
        small(np.tril(wide(r), -1), 0)
    return check


def is_svd(w, tolerance, full):
    def check(u, s, vh):
        m, n = w.shape[-2:]
        k = min(m, n)
        _assert(u.shape[-2:] == (m, m if full else k) and vh.shape[-2:] == (n if full else k, n), (u.shape, vh.shape))
        unitary(u, tolerance)
        unitary(adjoint(wide(vh)), tolerance)
        small(wide(u)[..., :k] * wide(s)[..., None, :] @ wide(vh)[..., :k, :] - w, tolerance * 10)
        _assert(np.all(np.diff(wide(s)) <= 0) and np.all(wide(s) >= 0), s)
    return check


ORDERS = {"fro": "fro", "nuc": "nuc", "1": 1, "-1": -1, "2": 2, "-2": -2, "inf": np.inf, "-inf": -np.inf}


def norms():
    out = []
    for name in WIDE + ["f16", "bf16", "i32"]:
        x = numbers(name, (2, 3, 4), -3, 3)
        w, part = wide(x, inexact(x.dtype)), real_part(inexact(x.dtype))
        for text, order in ORDERS.items():
            want = np.linalg.matrix_norm(w, ord=order)
            k = {"ulps": 64, "size": 20, "dtypes": part}
            out.append(Case("matrix_norm", [x], want, o={"ord": text}, **k))
            out.append(Case("matrix_norm", [x], np.linalg.norm(w, order, (0, 2), True), o={"ord": text, "axis": [0, 2], "keepdims": True}, **k))
            out.append(Case("matrix_norm", [x], np.linalg.norm(w, order, (2, 0)), o={"ord": text, "axis": [2, 0]}, **k))
            out.append(Case("norm", [x], np.linalg.norm(w, order, (2, 0), True), o={"ord": order, "axis": [2, 0], "keepdims": True}, **k))
            out.append(Case("norm", [x[0]], np.linalg.norm(w[0], order), o={"ord": order}, **k))
            if name in WIDE:
                a = well(name, (3, 3))
                want = np.linalg.cond(wide(a), order)
                out.append(Case("cond", [a], want, ulps=400, dtypes=part, o={"ord": text}))
        for order in (2, 1, 0, 3, -1, 0.5, np.inf, -np.inf, -2):
            for axis, keep in ((None, False), (1, False), (-1, True), ((0, 2), False)):
                o = {"ord": order} | ({} if axis is None else {"axis": list(axis) if isinstance(axis, tuple) else axis})
                want = np.linalg.vector_norm(w, axis=axis, keepdims=keep, ord=order)
                k = {"ulps": 64, "dtypes": part, "o": o | ({"keepdims": True} if keep else {})}
                out.append(Case("vector_norm", [x], want, **k))
                if axis is not None and not isinstance(axis, tuple):
                    out.append(Case("norm", [x], want, **k))
        out.append(Case("norm", [x], np.asarray(np.linalg.norm(w)), ulps=64, dtypes=part))
        out.append(Case("norm", [x[0, 0]], np.asarray(np.linalg.norm(w[0, 0], 3)), ulps=64, dtypes=part, o={"ord": 3}))
    zero = np.zeros((0,), "f4")
    return out + [Case("vector_norm", [zero], np.asarray(0, "f4")), Case("matrix_norm", [np.ones((2, 2), "f4")], error="norm", o={"ord": "3"}),
                  Case("norm", [np.ones((2, 2), "f4")], error="norm: no order 3", o={"ord": 3}),
                  Case("norm", [np.ones((2, 2, 2), "f4")], error="norm: an order needs", o={"ord": 2}),
                  Case("norm", [np.ones(2, "f4")], error="norm: order 'fro' is for matrices", o={"ord": "fro"})]


def fourier():
    out = []
    for name in WIDE + ["f16", "i32", "bool"]:
        base = np.dtype("f4") if name not in WIDE else real_part(NAMES[name])
        spectrum = np.dtype("c16") if base == np.float64 else np.dtype("c8")
        for shape, n, axis in (((8,), None, -1), ((7,), None, 0), ((3, 12), 5, 1), ((13, 2), 20, 0), ((2, 1), None, 1), ((5, 97), None, -1)):
            x = numbers(name, shape, -3, 3)
            w = wide(x)
            for norm in ("backward", "ortho", "forward"):
                o = {"axis": axis, "norm": norm} | ({} if n is None else {"n": n})
                k = {"ulps": 16, "size": 8 * max(shape) if norm == "backward" else 8}
                args = {"n": n, "axis": axis, "norm": norm}
                out.append(Case("fft", [x], np.fft.fft(w, **args), dtypes=spectrum, o=o, jit=norm == "ortho", **k))
                back = {"ulps": 16, "size": 8 * max(shape)}
                out.append(Case("ifft", [View(x, "reversed")], np.fft.ifft(w, **args), dtypes=spectrum, o=o, **back))
                if name not in COMPLEX:
                    out.append(Case("rfft", [x], np.fft.rfft(w, **args), dtypes=spectrum, o=o, **k))
                    out.append(Case("ihfft", [x], np.fft.ihfft(w, **args), dtypes=spectrum, o=o, **back))
                if shape[axis] > 1 or n:
                    out.append(Case("irfft", [x], np.fft.irfft(w, **args), dtypes=base, o=o, **back))
                    out.append(Case("hfft", [x], np.fft.hfft(w, **args), dtypes=base, o=o, ulps=16, size=16 * max(shape)))
        x = numbers(name, (3, 4, 6), -3, 3)
        w = wide(x)
        for s, axes in ((None, None), ((4, 5), (0, 2)), (None, (1, 0)), ((2, 8), (-2, -1))):
            o = ({} if s is None else {"s": list(s)}) | ({} if axes is None else {"axes": list(axes)})
            args, k = {"s": s, "axes": axes}, {"ulps": 16, "size": 300, "o": o}
            two = {} if axes is None else args
            out += [Case("fftn", [x], np.fft.fftn(w, **args), dtypes=spectrum, **k), Case("ifftn", [x], np.fft.ifftn(w, **args), dtypes=spectrum, **k),
                    Case("irfftn", [x], np.fft.irfftn(w, **args), dtypes=base, **k), Case("fft2", [x], np.fft.fft2(w, **two), dtypes=spectrum, **k),
                    Case("ifft2", [x], np.fft.ifft2(w, **two), dtypes=spectrum, **k), Case("irfft2", [x], np.fft.irfft2(w, **two), dtypes=base, **k)]
            if name not in COMPLEX:
                out += [Case("rfftn", [x], np.fft.rfftn(w, **args), dtypes=spectrum, **k), Case("rfft2", [x], np.fft.rfft2(w, **two), dtypes=spectrum, **k)]
    for n in (1, 2, 7, 8):
        out += [Case("fftfreq", [], np.fft.fftfreq(n, 0.5), ulps=2, dtypes=np.dtype("f4"), o={"n": n, "d": 0.5}),
                Case("rfftfreq", [], np.fft.rfftfreq(n, 0.5), ulps=2, o={"n": n, "d": 0.5, "dtype": "f64"})]
    for name in ALL:
        x = numbers(name, (4, 5))
        for f, g in (("fftshift", np.fft.fftshift), ("ifftshift", np.fft.ifftshift)):
            out += [Case(f, [x], g(x)), Case(f, [x], g(x, (1,)), o={"axes": [1]})]
    x = np.ones((2, 3), "f4")
    return out + [Case("fft", [x], error="fft", o=o) for o in ({"axis": 2}, {"norm": "half"}, {"n": 0})] + [Case("rfft", [x.astype("c8")], error="rfft")]
