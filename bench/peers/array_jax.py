# SPDX-License-Identifier: Apache-2.0
"""Rows of array_bench in JAX, jitted."""
import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from array_peers import dtype_name, size_of  # noqa: E402
from array_shapes import arrays_of  # noqa: E402


def mean(x):
    return x.mean(-1, keepdims=True)


def layer_norm(x, w, b):
    centred = x - mean(x)
    return centred * jax.lax.rsqrt(mean(centred * centred) + 1e-5) * w + b


def rms_norm(x, w):
    return x * jax.lax.rsqrt(mean(x * x) + 1e-5) * w


def cross_entropy(x, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(x), labels[:, None], 1).mean()


def adamw(p, m, v, g, rate, c1, c2):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return p * (1 - rate * 0.01) - rate / c1 * m / (jnp.sqrt(v / c2) + 1e-8), m, v


SQUARES = {  # of x, y, z, b, c
    "gelu": lambda x, y, z, b, c: jax.nn.gelu(x + b, approximate=False),
    "tanh_gelu": lambda x, y, z, b, c: jax.nn.gelu(x, approximate=True),
    "silu_mul": lambda x, y, z, b, c: jax.nn.silu(x) * y,
    "chain5": lambda x, y, z, b, c: jnp.tanh(x * 2 + y) * z - x,
    "softmax": lambda x, y, z, b, c: jax.nn.softmax(x),
    "layer_norm": lambda x, y, z, b, c: layer_norm(x, b, c),
    "rms_norm": lambda x, y, z, b, c: rms_norm(x, b),
    "sum_all": lambda x, y, z, b, c: x.sum(),
    "sum_last": lambda x, y, z, b, c: x.sum(1),
    "sum_first": lambda x, y, z, b, c: x.sum(0),
    "max_last": lambda x, y, z, b, c: x.max(1),
    "cumsum_last": lambda x, y, z, b, c: x.cumsum(1),
    "cumsum_first": lambda x, y, z, b, c: x.cumsum(0),
    "sort": lambda x, y, z, b, c: jnp.sort(x),
    "argmax": lambda x, y, z, b, c: x.argmax(1),
    "transpose": lambda x, y, z, b, c: x.T,
}


class Rows:
    def __init__(self):
        self.random = np.random.default_rng(0)

    @staticmethod
    def dtype(parts):
        wide = any(parts[1].endswith(bits) for bits in ("64", "128")) and parts[1] != "complex64"
        jax.config.update("jax_enable_x64", wide)
        return jnp.dtype(dtype_name(parts))

    def uniform(self, *dims, dtype=jnp.float32):
        return jnp.asarray(self.random.random(dims, dtype=np.float32) * 2 - 1).astype(dtype)

    def integers(self, below, count):
        return jnp.asarray(self.random.integers(0, below, count).astype(np.int32))

    def bound(self, f, *inputs):
        f = jax.jit(f)
        return lambda: jax.block_until_ready(f(*inputs))

    def gradients(self, loss_of, count, *inputs):
        return self.bound(jax.value_and_grad(loss_of, argnums=tuple(range(count))), *inputs)

    def call(self, parts):
        name = parts[0]
        if name in SQUARES:
            return self.bound(SQUARES[name], *arrays_of(parts, self))
        return getattr(self, name)(parts)

    def rms_norm_grad(self, parts):
        return self.gradients(lambda x, w, g: (rms_norm(x, w) * g).sum(), 2, *arrays_of(parts, self))

    def cross_entropy_grad(self, parts):
        return self.gradients(cross_entropy, 1, *arrays_of(parts, self))

    def adamw(self, parts):
        f = jax.jit(adamw, donate_argnums=(0, 1, 2))
        p, g = arrays_of(parts, self)
        state = [(p, jnp.zeros_like(p), jnp.zeros_like(p))]

        def call():
            state[0] = jax.block_until_ready(f(*state[0], g, 1e-4, 0.1, 0.001))
        return call

    def gather_rows(self, parts):
        return self.bound(lambda t, i: t[i], *arrays_of(parts, self))

    def fft(self, parts):
        return self.bound(jnp.fft.fft, *arrays_of(parts, self, dtype=jnp.complex64))

    def cumsum(self, parts):
        dtype, axis = self.dtype(parts), 1 if parts[2] == "last" else 0
        return self.bound(lambda x: x.cumsum(axis, dtype=dtype), *arrays_of(parts, self, dtype=dtype))

    def take(self, parts):
        return self.bound(lambda x, i: x[i], *arrays_of(parts, self, dtype=self.dtype(parts)))

    def scatter_add(self, parts):
        return self.bound(lambda x, i, v: x.at[i].add(v), *arrays_of(parts, self, dtype=self.dtype(parts)))

    def transforms(self, parts):
        dtype = self.dtype(parts)
        transform = jnp.fft.fft if jnp.issubdtype(dtype, jnp.complexfloating) else jnp.fft.rfft
        return self.bound(transform, *arrays_of(parts, self, dtype=dtype))

    def jit_call(self, parts):
        return self.bound(lambda x: x * 2 + 1, *arrays_of(parts, self))

    def eager_add(self, parts):
        x, = arrays_of(parts, self)
        return lambda: jax.block_until_ready(x + 1)

    def matmul(self, parts):
        product = jnp.matmul if len(parts) == 3 else lambda x, w: x @ w.T
        return self.bound(product, *arrays_of(parts, self, dtype=self.dtype(parts)))

    def attention(self, parts):
        inputs = arrays_of(parts, self, dtype=self.dtype(parts))

        def forward(q, k, v):
            return jax.nn.dot_product_attention(q, k, v, is_causal=True)
        if parts[2] == "fwd":
            return self.bound(forward, *inputs[:3])
        return self.gradients(lambda q, k, v, w: (forward(q, k, v) * w).sum(), 3, *inputs)

    def conv(self, parts):
        w, t, groups, d = (size_of(parts, letter, 1) for letter in "wtgd")
        dtype, last = self.dtype(parts), parts[3] == "nhwc"
        x, weight = arrays_of(parts, self, dtype=dtype)
        if last:
            x, weight = jnp.transpose(x, (0, 2, 3, 1)), jnp.transpose(weight, (2, 3, 1, 0))
        names = ("NHWC", "HWIO", "NHWC") if last else ("NCHW", "OIHW", "NCHW")

        def forward(x, weight):
            return jax.lax.conv_general_dilated(x, weight, (t, t), [(w // 2 * d, w // 2 * d)] * 2,
                                                rhs_dilation=(d, d), dimension_numbers=names, feature_group_count=groups)
        if parts[2] == "fwd":
            return self.bound(forward, x, weight)
        g = self.uniform(*forward(x, weight).shape, dtype=dtype)
        return self.gradients(lambda x, weight, g: (forward(x, weight) * g).sum(), 2, x, weight, g)
