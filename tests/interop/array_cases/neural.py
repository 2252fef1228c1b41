# SPDX-License-Identifier: Apache-2.0
"""Layers of neural networks against PyTorch in f64, pooling of channels last and padding "same" against JAX."""
import jax
import numpy as np
import torch
import torch.nn.functional as F

from .case import FLOATS, VIEWS, Case, View, numbers, rng, wide


def cases():
    return layers() + convolutions() + pools() + norms()


def tensor(x):
    return torch.from_numpy(wide(x)) if x is not None else None


def layers():
    out = []
    for i, name in enumerate(FLOATS):
        for shape, n in (((3,), 4), ((2, 3), 5), ((2, 4, 7), 3), ((0, 3), 2), ((5, 65), 33)):
            x, w, b = numbers(name, shape), numbers(name, (n, shape[-1])), numbers(name, (n,))
            size = np.abs(wide(x)) @ np.abs(wide(w)).T + 9
            a = View(x, VIEWS[i % 3])
            out.append(Case("linear", [a, w], F.linear(tensor(x), tensor(w)).numpy(), ulps=8, size=size, dtypes=x.dtype))
            out.append(Case("linear", [a, w, b], F.linear(tensor(x), tensor(w), tensor(b)).numpy(), ulps=8, size=size, dtypes=x.dtype, jit=True))
        for shape in ((4, 9), (2, 3, 40), (1, 1)):
            x, labels = numbers(name, shape), rng.integers(0, shape[-1], shape[:-1]).astype("i4")
            flat, ids = tensor(x).reshape(-1, shape[-1]), torch.from_numpy(labels.reshape(-1).astype("i8"))
            out.append(Case("cross_entropy", [x, labels], F.cross_entropy(flat, ids).numpy(), ulps=16, size=20, dtypes=x.dtype))
            labels = np.where(rng.uniform(0, 1, labels.shape) < 0.5, -100, labels).astype("i8")
            ids = torch.from_numpy(labels.reshape(-1))
            want = F.cross_entropy(flat, ids).numpy() if (labels >= 0).any() else np.asarray(0.0)
            out.append(Case("cross_entropy", [x, labels], want, ulps=16, size=20, dtypes=x.dtype))
    x = np.ones((2, 3), "f4")
    return out + [Case("linear", [x, np.ones((4, 2), "f4")], error="linear"), Case("cross_entropy", [x, x], error="cross_entropy")]


def convolutions():
    out = []
    rows = [((2, 3, 7, 6), (4, 3, 3, 2), {}), ((1, 4, 8, 8), (6, 2, 3, 3), {"groups": 2, "padding": 1}),
            ((1, 2, 9, 7), (3, 2, 3, 3), {"stride": 2, "dilation": 2, "padding": 2}), ((2, 3, 5, 5), (3, 1, 1, 1), {"groups": 3}),
            ((1, 1, 4, 4), (1, 1, 4, 4), {}), ((0, 2, 5, 5), (3, 2, 3, 3), {}), ((1, 2, 3, 3), (2, 2, 5, 5), {"padding": 2}),
            ((2, 17, 16, 16), (9, 17, 3, 3), {"stride": [1, 2], "padding": [0, 1]})]
    for i, name in enumerate(FLOATS):
        for shape, kernel, o in rows:
            x, w = numbers(name, shape, -2, 2), numbers(name, kernel, -2, 2)
            o = {k: v if isinstance(v, list) or k == "groups" else [v, v] for k, v in o.items()}
            want, size = F.conv2d(tensor(x), tensor(w), **o).numpy(), F.conv2d(tensor(x).abs(), tensor(w).abs(), **o).numpy()
            out.append(Case("conv2d", [View(x, VIEWS[i % 3]), w], want, ulps=8, size=size, dtypes=x.dtype, o=o))
        for stride in (1, 2, 3):
            x, w = numbers(name, (2, 7, 6, 3), -2, 2), numbers(name, (3, 2, 3, 4), -2, 2)
            convolve = lambda a, b: np.asarray(jax.lax.conv_general_dilated(a, b, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")))
            want, size = convolve(wide(x), wide(w)), convolve(np.abs(wide(x)), np.abs(wide(w)))
            out.append(Case("conv2d", [x, w], want, ulps=8, size=size, dtypes=x.dtype, o={"same": True, "stride": [stride] * 2, "channels_last": True}))
    x = np.ones((1, 2, 4, 4), "f4")
    return out + [Case("conv2d", [x, np.ones((2, 3, 3, 3), "f4")], error="conv"), Case("conv2d", [x[0], x], error="conv")]


def pools():
    out = []
    for i, name in enumerate(FLOATS):
        x = numbers(name, (2, 3, 9, 8))
        a, t = View(x, VIEWS[i % 3]), tensor(x)
        for window, stride, pad in (([2, 2], [2, 2], 0), ([3, 2], [1, 3], 1), ([9, 8], [1, 1], 0), ([1, 1], [3, 2], 0)):
            o = {"window": window, "strides": stride, "padding_low": [pad] * 2, "padding_high": [pad] * 2}
            out.append(Case("max_pool", [a], F.max_pool2d(t, window, stride, pad).numpy(), dtypes=x.dtype, o=o))
            for count in (True, False):
                want = F.avg_pool2d(t, window, stride, pad, count_include_pad=count).numpy()
                out.append(Case("avg_pool", [a], want, ulps=4, size=9, dtypes=x.dtype, o=o | {"count_padding": count}))
        out.append(Case("max_pool", [x], F.max_pool2d(t, 2, 2, dilation=3).numpy(), dtypes=x.dtype, o={"window": [2, 2], "dilations": [3, 3]}))
        last = x.transpose(0, 2, 3, 1).copy()
        out.append(Case("max_pool", [last], F.max_pool2d(t, 2).numpy().transpose(0, 2, 3, 1), dtypes=x.dtype, o={"window": [2, 2], "channels_last": True}))
        out.append(Case("global_avg_pool", [a], t.mean((2, 3)).numpy(), ulps=4, size=9, dtypes=x.dtype))
        line = numbers(name, (2, 3, 10))
        out.append(Case("max_pool", [line], F.max_pool1d(tensor(line), 3, 2).numpy(), dtypes=x.dtype, o={"window": [3], "strides": [2]}))
    return out + [Case("max_pool", [x], error="window_dimensions [1,1,0,2]", o={"window": [0, 2]})]


def norms():
    out = []
    for i, name in enumerate(FLOATS):
        for shape in ((6,), (3, 8), (2, 5, 65), (0, 4)):
            x, w, b = numbers(name, shape), numbers(name, shape[-1:]), numbers(name, shape[-1:])
            a, c = View(x, VIEWS[i % 3]), shape[-1:]
            k = {"ulps": 16, "size": 30, "dtypes": x.dtype}
            out.append(Case("layer_norm", [a, w, b], F.layer_norm(tensor(x), c, tensor(w), tensor(b), 1e-5).numpy(), **k))
            out.append(Case("layer_norm", [x, w, b], F.layer_norm(tensor(x), c, tensor(w), tensor(b), 0.1).numpy(), o={"eps": 0.1}, **k))
            out.append(Case("rms_norm", [a, w], F.rms_norm(tensor(x), c, tensor(w), 1e-5).numpy(), **k))
        for shape, groups in (((2, 6, 4, 3), 3), ((2, 6, 5), 1), ((3, 4, 7), 4)):
            x, w, b = numbers(name, shape), numbers(name, shape[1:2]), numbers(name, shape[1:2])
            t = [tensor(v) for v in (x, w, b)]
            k = {"ulps": 16, "size": 30, "dtypes": x.dtype}
            out.append(Case("group_norm", [x, w, b], F.group_norm(t[0], groups, t[1], t[2]).numpy(), o={"groups": groups}, **k))
            axes = (0, *range(2, len(shape)))
            mean, variance = wide(x).mean(axes), wide(x).var(axes)
            want = F.batch_norm(t[0], None, None, t[1], t[2], True).numpy()
            k["dtypes"] = [x.dtype] + [x.dtype if name == "f64" else np.dtype("f4")] * 2  # statistics are kept in f32
            k["size"] = 80
            out.append(Case("batch_norm", [x, w, b], [want, mean, variance], **k))
            m, v = numbers(name, shape[1:2]), numbers(name, shape[1:2], 1, 4)
            k["dtypes"] = x.dtype
            out.append(Case("batch_norm", [x, w, b, m, v], F.batch_norm(t[0], tensor(m), tensor(v), t[1], t[2]).numpy(), **k))
    x = np.ones((2, 3), "f4")
    return out + [Case("layer_norm", [x, x[0, :2], x[0, :2]], error="layer_norm"), Case("group_norm", [x[..., None], x[0], x[0]], error="group_norm", o={"groups": 2})]
