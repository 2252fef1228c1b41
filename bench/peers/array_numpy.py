# SPDX-License-Identifier: Apache-2.0
"""Rows of array_bench in NumPy: those that are one function there."""
import numpy as np

from array_peers import dtype_name
from array_shapes import arrays_of


class Rows:
    def __init__(self):
        self.random = np.random.default_rng(0)

    def uniform(self, *dims, dtype=np.float32):
        return (self.random.random(dims, dtype=np.float32) * 2 - 1).astype(dtype)

    def integers(self, below, count):
        return self.random.integers(0, below, count)

    def matmul(self, parts, dtype):
        a, b = arrays_of(parts, self, dtype=dtype)
        if len(parts) > 3:
            b = b.T
        return lambda: a @ b

    def cumsum(self, parts, dtype):
        x, = arrays_of(parts, self, dtype=dtype)
        axis = 1 if parts[2] == "last" else 0
        return lambda: x.cumsum(axis, dtype=dtype)

    def take(self, parts, dtype):
        x, i = arrays_of(parts, self, dtype=dtype)
        return lambda: x[i]

    def scatter_add(self, parts, dtype):
        x, i, v = arrays_of(parts, self, dtype=dtype)

        def call():
            y = x.copy()
            np.add.at(y, i, v)
            return y
        return call

    def transforms(self, parts, dtype):
        x, = arrays_of(parts, self, dtype=dtype)
        transform = np.fft.fft if np.iscomplexobj(x) else np.fft.rfft
        return lambda: transform(x)

    def call(self, parts):
        if len(parts) > 1:
            return getattr(self, parts[0])(parts, np.dtype(dtype_name(parts)))
        x, *others = arrays_of(parts, self)
        if parts[0] == "eager_add":
            return lambda: x + 1
        if parts[0] == "fft":
            z = x.astype(np.complex64)
            return lambda: np.fft.fft(z)
        if parts[0] == "gather_rows":
            ids, = others
            return lambda: x[ids]
        return {
            "sum_all": lambda: x.sum(), "sum_last": lambda: x.sum(1), "sum_first": lambda: x.sum(0),
            "max_last": lambda: x.max(1), "cumsum_last": lambda: x.cumsum(1), "cumsum_first": lambda: x.cumsum(0),
            "sort": lambda: np.sort(x), "argmax": lambda: x.argmax(1), "transpose": lambda: x.T.copy(),
        }[parts[0]]
