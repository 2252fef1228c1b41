# SPDX-License-Identifier: Apache-2.0
"""Transforms and control flow against JAX, in f64; derivatives of linear algebra, complex numbers included."""
import jax
import jax.numpy as jnp
import jax.scipy.linalg
import numpy as np

from .case import FLOATS, Case, is_complex, numbers, wide
from .linear import hermitian, well


def cases():
    return transforms() + control() + linear_algebra()


def wave(x, y):
    return jnp.exp(jnp.sin(x) * y) + x * x * y


def total(x, y):
    return jnp.sum(wave(x, y))


def arrays(x):
    return [np.asarray(a) for a in x]


def transforms():
    """All of JAX's answers in one compiled function: op by op they would take a minute."""
    out, k, names = [], {"ulps": 64, "size": 10}, ("grad", "jacfwd", "jacrev", "hessian", "checkpoint", "jvp", "value_and_grad", "vjp")

    def answers(x, y, u, v):
        value, grads = jax.value_and_grad(total, (1, 0))(x, y)
        result, back = jax.vjp(wave, x, y)
        return (jax.grad(total, (0, 1))(x, y), jax.jacfwd(wave)(x, y), jax.jacrev(wave)(x, y), jax.hessian(total)(x, y),
                jax.grad(total)(x, y), jax.jvp(wave, (x, y), (u, v)), [value, *grads], [*back(u), result])

    inputs = [[numbers("f64", shape, -1, 1) for _ in range(4)] for shape in ((3,), (2, 2), (0,))]
    for given, wants in zip(inputs, jax.jit(lambda all_: [answers(*x) for x in all_])(inputs)):
        for f, want in zip(names, wants):
            x = given if f == "jvp" else given[:3] if f == "vjp" else given[:2]
            out.append(Case(f, x, arrays(jax.tree.leaves(want)), **k))
        x = given[0]
        out += [Case(f, [x], [np.sin(x), np.full(x.shape, 3.0)], ulps=4) for f in ("custom_vjp", "custom_jvp")]
    x, y = numbers("f64", (4, 3), -1, 1), numbers("f64", (3,), -1, 1)
    both = jax.jit(lambda x, y: (jax.vmap(jax.grad(total), (0, None), 1)(x, y), jax.vmap(total)(x, x)))(x, y)
    return out + [Case("vmap", [x, y], np.asarray(both[0]), **k), Case("jit", [x, x], np.asarray(both[1]), **k)]


def control():
    """An index that is no branch's takes the last one: StableHLO's rule."""
    out = []
    for name in FLOATS + ["complex64"]:
        x = numbers(name, (3,))
        w = wide(x)
        for i, want in ((-4, w * w), (0, w / 2), (1, w * 2), (2, w * w), (9, w * w)):
            out.append(Case("switch_case", [np.int32(i), x], want, ulps=8, dtypes=x.dtype, jit=i == 1))
        out.append(Case("control.cond", [np.bool_(True), x], w / 2, dtypes=x.dtype))
        out.append(Case("control.cond", [np.bool_(False), x], w * 2, dtypes=x.dtype))
    x, y = numbers("f64", (4, 3), 1, 2), numbers("f64", (4, 3))
    out.append(Case("map", [x, y], [np.sin(x), x * y], ulps=2))
    for reverse in (False, True):
        carries = [y[0]]
        for row in x[::-1] if reverse else x:
            carries.append(carries[-1] * 0.5 + row)
        ys = np.array(carries[1:][::-1] if reverse else carries[1:]) ** 2
        out.append(Case("scan", [y[0], x], [carries[-1], ys], ulps=4, o={"reverse": reverse}))
    for start, stop in ((0, 5), (2, 2), (3, 40), (5, 1)):
        want = y
        for i in range(start, stop):
            want = want * 0.5 + i
        out.append(Case("fori_loop", [y], want, ulps=8, o={"start": start, "stop": stop}))
    want = x
    while want.sum() < 1000:
        want = want * 2
    out.append(Case("while_loop", [x], want))
    return out


def of_hermitian(h):
    values, vectors = jnp.linalg.eigh(h)
    return (vectors * jnp.exp(-values)) @ vectors.conj().T


def of_singular(x):
    u, s, vh = jnp.linalg.svd(x, full_matrices=False)
    return (u / (s + 1)) @ vh


def linear_algebra():
    """Derivatives, of complex matrices too. Eigenvectors and singular vectors are unique up to phases, so what is
    compared is a function of the matrix that is made of them, and of eigenvalues without order their sum."""
    out = []
    for name in ("f64", "complex128"):
        a, h, b, tall = well(name, (3, 3)), hermitian(name, 4), numbers(name, (3, 2), -2, 2), numbers(name, (5, 3), -2, 2)
        many, spread = well(name, (2, 3, 3)), well(name, (3, 3)) + np.diag([0, 3, 7])
        rows = [("solve", jnp.linalg.solve, [a, b], {}), ("solve", jnp.linalg.solve, [a, b[:, 0].copy()], {}),
                ("inv", jnp.linalg.inv, [a], {}), ("inv", jnp.linalg.inv, [many], {}), ("det", jnp.linalg.det, [a], {}),
                ("det", jnp.linalg.det, [many], {}), ("cholesky", jnp.linalg.cholesky, [h], {}),
                ("eigvalsh", jnp.linalg.eigvalsh, [h], {}), ("eigh.function", of_hermitian, [h], {}),
                ("svdvals", lambda x: jnp.linalg.svd(x, compute_uv=False), [tall], {}), ("svd.function", of_singular, [tall], {}),
                ("svd.function", of_singular, [tall.T.copy()], {}), ("qr", jnp.linalg.qr, [tall], {}), ("qr", jnp.linalg.qr, [a], {}),
                ("expm", jax.scipy.linalg.expm, [a], {}), ("expm", jax.scipy.linalg.expm, [many * 0.1], {}),
                ("slogdet", jnp.linalg.slogdet, [a], {}), ("matrix_power", lambda x: jnp.linalg.matrix_power(x, 3), [a], {"n": 3}),
                ("pinv", jnp.linalg.pinv, [tall], {}), ("eigvals", jnp.linalg.eigvals, [spread], {})]
        weights = [cotangents(*row[:3]) for row in rows]
        given = [row[2] for row in rows]
        pulled = jax.jit(lambda xs, ws: [pull(row[1], x, w) for row, x, w in zip(rows, xs, ws)])(given, weights)
        out += [derivative(f, x, o, w, *answer) for (f, _, x, o), w, answer in zip(rows, weights, pulled)]
    return out


def cotangents(f, function, x):
    shapes = jax.tree.leaves(jax.eval_shape(function, *x))
    kinds = ["complex128" if is_complex(y.dtype) else "f64" for y in shapes]
    if f == "eigvals":
        return [np.full(shapes[0].shape, 1 - 2j)]
    return [numbers(kind, y.shape, -1, 1) for kind, y in zip(kinds, shapes)]


def pull(function, x, weights):
    result, back = jax.vjp(lambda *v: jax.tree.leaves(function(*v)), *x)
    return result, back(weights)


def derivative(f, x, o, weights, result, slopes):
    """Results and the cotangents of x for these of the results."""
    if f == "eigvals":
        return Case(f, x, weights=weights, check=lambda _, slope: np.testing.assert_allclose(slope, slopes[0], 1e-9, 1e-9))
    return Case(f, x, arrays(result) + arrays(slopes), ulps=4000, size=10, o=o, weights=weights)
