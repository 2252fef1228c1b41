# SPDX-License-Identifier: Apache-2.0
"""Rows of array_bench in PyTorch, eager or through torch.compile."""
import torch
import torch.nn.functional as F

from array_peers import dtype_name, size_of
from array_shapes import N, arrays_of


def backward(loss_of, *leaves):
    """f(*inputs): the loss and the derivatives by the leaves, which are the first inputs."""
    def call(*inputs):
        loss = loss_of(*inputs)
        return (loss, *torch.autograd.grad(loss, inputs[:len(leaves)]))
    return call


def rms_norm(x, w):
    return F.rms_norm(x, (N,), w, 1e-5)


SQUARES = {  # of x, y, z, b, c
    "gelu": lambda x, y, z, b, c: F.gelu(x + b),
    "tanh_gelu": lambda x, y, z, b, c: F.gelu(x, approximate="tanh"),
    "silu_mul": lambda x, y, z, b, c: F.silu(x) * y,
    "chain5": lambda x, y, z, b, c: torch.tanh(x * 2 + y) * z - x,
    "softmax": lambda x, y, z, b, c: torch.softmax(x, -1),
    "layer_norm": lambda x, y, z, b, c: F.layer_norm(x, (N,), b, c),
    "rms_norm": lambda x, y, z, b, c: rms_norm(x, b),
    "sum_all": lambda x, y, z, b, c: x.sum(),
    "sum_last": lambda x, y, z, b, c: x.sum(1),
    "sum_first": lambda x, y, z, b, c: x.sum(0),
    "max_last": lambda x, y, z, b, c: x.amax(1),
    "cumsum_last": lambda x, y, z, b, c: x.cumsum(1),
    "cumsum_first": lambda x, y, z, b, c: x.cumsum(0),
    "sort": lambda x, y, z, b, c: torch.sort(x).values,
    "argmax": lambda x, y, z, b, c: x.argmax(1),
    "transpose": lambda x, y, z, b, c: x.t().contiguous(),
}


class Rows:
    def __init__(self, threads, compiled):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.compiled = compiled

    @staticmethod
    def dtype(parts):
        return getattr(torch, dtype_name(parts))

    def uniform(self, *dims, dtype=torch.float32):
        return (torch.rand(dims) * 2 - 1).to(dtype)

    @staticmethod
    def integers(below, count):
        return torch.randint(0, below, (count,))

    def bound(self, f, *inputs, grad=False):
        """f of the inputs as a call, compiled where that is asked for."""
        if self.compiled:
            torch._dynamo.reset()
            f = torch.compile(f, dynamic=False)

        def call():
            with torch.set_grad_enabled(grad):
                return f(*inputs)
        return call

    def gradients(self, loss_of, leaves, *others):
        for leaf in leaves:
            leaf.requires_grad_(True)
        if self.compiled:  # the backward graph is compiled with the forward one
            torch._dynamo.reset()
            loss_of = torch.compile(loss_of, dynamic=False)
        return lambda: backward(loss_of, *leaves)(*leaves, *others)

    def call(self, parts):
        name = parts[0]
        if name in SQUARES:
            return self.bound(SQUARES[name], *arrays_of(parts, self))
        return getattr(self, name)(parts)

    def rms_norm_grad(self, parts):
        x, w, g = arrays_of(parts, self)
        return self.gradients(lambda x, w, g: (rms_norm(x, w) * g).sum(), [x, w], g)

    def cross_entropy_grad(self, parts):
        x, labels = arrays_of(parts, self)
        return self.gradients(F.cross_entropy, [x], labels)

    def adamw(self, parts):
        p, g = arrays_of(parts, self)
        p.requires_grad_().grad = g
        optimizer = torch.optim.AdamW([p], lr=1e-4, weight_decay=0.01, fused=not self.compiled)
        if not self.compiled:
            return optimizer.step
        torch._dynamo.reset()
        return torch.compile(lambda: optimizer.step())

    def gather_rows(self, parts):
        return self.bound(lambda t, i: t[i], *arrays_of(parts, self))

    def fft(self, parts):
        return self.bound(torch.fft.fft, *arrays_of(parts, self, dtype=torch.complex64))

    def cumsum(self, parts):
        dtype, axis = self.dtype(parts), 1 if parts[2] == "last" else 0
        return self.bound(lambda x: x.cumsum(axis, dtype=dtype), *arrays_of(parts, self, dtype=dtype))

    def take(self, parts):
        return self.bound(torch.take, *arrays_of(parts, self, dtype=self.dtype(parts)))

    def scatter_add(self, parts):
        return self.bound(lambda x, i, v: x.scatter_add(0, i, v), *arrays_of(parts, self, dtype=self.dtype(parts)))

    def transforms(self, parts):
        dtype = self.dtype(parts)
        return self.bound(torch.fft.fft if dtype.is_complex else torch.fft.rfft, *arrays_of(parts, self, dtype=dtype))

    def jit_call(self, parts):
        return self.bound(lambda x: x * 2 + 1, *arrays_of(parts, self))

    def eager_add(self, parts):
        x, = arrays_of(parts, self)
        return lambda: x + 1

    def matmul(self, parts):
        product = torch.matmul if len(parts) == 3 else F.linear
        return self.bound(product, *arrays_of(parts, self, dtype=self.dtype(parts)))

    def attention(self, parts):
        q, k, v, w = arrays_of(parts, self, dtype=self.dtype(parts))

        def forward(q, k, v):  # tokens outside heads, as ours
            q, k, v = (t.transpose(1, 2) for t in (q, k, v))
            return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)
        if parts[2] == "fwd":
            return self.bound(forward, q, k, v)
        return self.gradients(lambda q, k, v, w: (forward(q, k, v) * w).sum(), [q, k, v], w)

    def conv(self, parts):
        w, t, groups, d = (size_of(parts, letter, 1) for letter in "wtgd")
        x, weight = arrays_of(parts, self, dtype=self.dtype(parts))
        if parts[3] == "nhwc":
            x, weight = (a.contiguous(memory_format=torch.channels_last) for a in (x, weight))

        def forward(x, weight):
            return F.conv2d(x, weight, stride=t, padding=w // 2 * d, dilation=d, groups=groups)
        if parts[2] == "fwd":
            return self.bound(forward, x, weight)
        g = torch.rand_like(forward(x, weight))
        return self.gradients(lambda x, weight, g: (forward(x, weight) * g).sum(), [x, weight], g)
