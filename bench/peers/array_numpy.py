# SPDX-License-Identifier: Apache-2.0
"""Rows of array_bench in NumPy: those that are one function there."""
import numpy as np

from array_peers import dtype_name, size_of


class Rows:
    def __init__(self):
        self.random = np.random.default_rng(0)

    def uniform(self, *dims, dtype=np.float32):
        return (self.random.random(dims, dtype=np.float32) * 2 - 1).astype(dtype)

    def matmul(self, parts, dtype):
        if len(parts) == 3:
            n = int(parts[2])
            a, b = self.uniform(n, n, dtype=dtype), self.uniform(n, n, dtype=dtype)
        else:
            a = self.uniform(size_of(parts, "m"), size_of(parts, "k"), dtype=dtype)
            b = self.uniform(size_of(parts, "n"), size_of(parts, "k"), dtype=dtype).T
        return lambda: a @ b

    def cumsum(self, parts, dtype):
        x, axis = self.uniform(2048, 2048, dtype=dtype), 1 if parts[2] == "last" else 0
        return lambda: x.cumsum(axis, dtype=dtype)

    def take(self, _, dtype):
        x, i = self.uniform(4 << 20, dtype=dtype), self.random.integers(0, 4 << 20, 1 << 20)
        return lambda: x[i]

    def scatter_add(self, _, dtype):
        x, i = self.uniform(4 << 20, dtype=dtype), self.random.integers(0, 4 << 20, 1 << 20)
        v = self.uniform(1 << 20, dtype=dtype)

        def call():
            y = x.copy()
            np.add.at(y, i, v)
            return y
        return call

    def transforms(self, parts, dtype):
        x = self.uniform(size_of(parts, "b"), size_of(parts, "n"), dtype=dtype)
        transform = np.fft.fft if np.iscomplexobj(x) else np.fft.rfft
        return lambda: transform(x)

    def call(self, parts):
        if len(parts) > 1:
            return getattr(self, parts[0])(parts, np.dtype(dtype_name(parts)))
        if parts[0] == "eager_add":
            x = self.uniform(4)
            return lambda: x + 1
        if parts[0] == "fft":
            z = self.uniform(256, 4096).astype(np.complex64)
            return lambda: np.fft.fft(z)
        if parts[0] == "gather_rows":
            table, ids = self.uniform(32000, 2048), self.random.integers(0, 32000, 2048)
            return lambda: table[ids]
        x = self.uniform(2048, 2048)
        return {
            "sum_all": lambda: x.sum(), "sum_last": lambda: x.sum(1), "sum_first": lambda: x.sum(0),
            "max_last": lambda: x.max(1), "cumsum_last": lambda: x.cumsum(1), "cumsum_first": lambda: x.cumsum(0),
            "sort": lambda: np.sort(x), "argmax": lambda: x.argmax(1), "transpose": lambda: x.T.copy(),
        }[parts[0]]
