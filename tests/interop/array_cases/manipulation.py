# SPDX-License-Identifier: Apache-2.0
"""Shapes, order, joining, splitting, repeating, padding. Nothing is computed: equal to the bit."""
import numpy as np

from .binary import promote
from .case import ALL, COMPLEX, FLOATS, INTEGERS, NAMES, SOME, VIEWS, Case, View, inexact, numbers, rng, views, wide


def cases():
    return shapes() + order() + joining() + splitting() + repeating() + padding() + errors()


def shapes():
    out = []
    for i, name in enumerate(ALL):
        x, y, v = numbers(name, (2, 3, 4)), numbers(name, (1, 3, 1)), numbers(name, (5,))
        s, e = numbers(name, ()), numbers(name, (0, 3))
        w = View(x, VIEWS[i % 3])
        for shape in ([4, 6], [24], [-1, 2], [1, 24, 1], [2, -1, 2]):
            out.append(Case("reshape", [w], x.reshape(shape), o={"shape": shape}))
        out.append(Case("reshape", [e], e.reshape(3, 0, 2), o={"shape": [3, 0, 2]}))
        for a in (w, x, s, e):
            raw = np.asarray(getattr(a, "x", a))
            out.append(Case("ravel", [a], raw.ravel()))
        for a in (s, v, x[0], x, e):
            out += [Case("atleast_1d", [a], np.atleast_1d(a)), Case("atleast_2d", [a], np.atleast_2d(a)),
                    Case("atleast_3d", [a], np.atleast_3d(a))]
        for axis in (0, 1, -1, -2, 3):
            out.append(Case("expand_dims", [w], np.expand_dims(x, axis), o={"axis": axis}))
        out.append(Case("expand_dims", [v], np.expand_dims(v, (0, 2)), o={"axes": [0, 2]}))
        out.append(Case("expand_dims", [v], np.expand_dims(v, (-1, 0)), o={"axes": [-1, 0]}))
        out += [Case("squeeze", [y], y.squeeze()), Case("squeeze", [y], y.squeeze(0), o={"axes": [0]}),
                Case("squeeze", [y], y.squeeze((-1, 0)), o={"axes": [-1, 0]})]
        out.append(Case("broadcast_to", [y], np.broadcast_to(y, (2, 2, 3, 4)), o={"shape": [2, 2, 3, 4]}))
        out.append(Case("broadcast_to", [e[:, :1]], np.broadcast_to(e[:, :1], (0, 4)), o={"shape": [0, 4]}))
        out.append(Case("broadcast_arrays", [y, v, s], [np.array(b) for b in np.broadcast_arrays(y, v, s)]))
    out.append(Case("broadcast_arrays", [np.arange(3), np.arange(2)[:, None]],
                    [np.array(b) for b in np.broadcast_arrays(np.arange(3), np.arange(2)[:, None])]))
    for shapes_ in ([[1, 3], [2, 1]], [[]], [[0], [1]], [[5, 1, 4], [3, 1], [1]], [[2], []]):
        out.append(Case("broadcast_shapes", [], np.array(np.broadcast_shapes(*map(tuple, shapes_)), np.int64),
                        o={"shapes": shapes_}))
    return out


def assert_shape(x, shape):
    assert x.shape == shape, x.shape


def order():
    out = []
    for i, name in enumerate(ALL):
        x, m, v = numbers(name, (2, 3, 4)), numbers(name, (3, 4)), numbers(name, (7,))
        for a in (x, View(x, VIEWS[i % 3])):
            for axes in ([0, 1, 2], [2, 0, 1], [-1, 0, -2]):
                out.append(Case("permute_dims", [a], np.transpose(x, axes), o={"axes": axes}))
            out += [Case("transpose", [a], x.T), Case("transpose", [a], x.transpose(1, 0, 2), o={"axes": [1, 0, 2]}),
                    Case("moveaxis", [a], np.moveaxis(x, 0, -1), o={"source": 0, "destination": -1}),
                    Case("moveaxis", [a], np.moveaxis(x, [0, 1], [-1, 0]), o={"source": [0, 1], "destination": [-1, 0]}),
                    Case("swapaxes", [a], np.swapaxes(x, 0, -1), o={"a": 0, "b": -1}),
                    Case("flip", [a], np.flip(x)), Case("flip", [a], np.flip(x, (0, -1)), o={"axes": [0, -1]}),
                    Case("fliplr", [a], np.fliplr(x)), Case("flipud", [a], np.flipud(x))]
            for times in (-1, 0, 1, 2, 3, 7):
                out.append(Case("rot90", [a], np.rot90(x, times), o={"times": times}))
            out.append(Case("rot90", [a], np.rot90(x, 1, (2, 0)), o={"axes": [2, 0]}))
            for shift in (0, 1, -2, 25, -100):
                out.append(Case("roll", [a], np.roll(x, shift), o={"shift": shift}))
                out.append(Case("roll", [a, np.int32(shift)], np.roll(x, shift), jit=shift > 0))
            for kind in ("i8", "i64", "u32"):  # shifts that are data
                shifts = np.array([1, 5], NAMES[kind])
                out.append(Case("roll", [a, shifts], np.roll(x, (1, 5), (0, 2)), o={"axes": [0, 2]}, jit=True))
            out.append(Case("roll", [a, np.int32(-7)], np.roll(x, -7, 1), o={"axes": [1]}))
            out.append(Case("roll", [a], np.roll(x, (1, -2), (0, 2)), o={"shifts": [1, -2], "axes": [0, 2]}))
            out.append(Case("roll", [a], np.roll(x, 5, (1, 1)), o={"shifts": [5], "axes": [1, 1]}))
        out.append(Case("roll", [v[:0]], v[:0], o={"shift": 3}))
        out.append(Case("flip", [v[0]], np.asarray(v[0])))
    return out


def joining():
    out = []
    for i, name in enumerate(ALL):
        a, b, v, w = numbers(name, (2, 3)), numbers(name, (2, 3)), numbers(name, (3,)), numbers(name, (4,))
        va = View(a, VIEWS[i % 3])
        out += [Case("concat", [va, b], np.concatenate([a, b])), Case("concat", [v, w], np.concatenate([v, w])),
                Case("concat", [a, b[:, :1]], np.concatenate([a, b[:, :1]], -1), o={"axis": -1}),
                Case("concat", [a, w], np.concatenate([a, w], None), o={"flat": True}),
                Case("concat", [a[:0], b], b), Case("concatenate", [va, a, b], np.concatenate([a, a, b], 1), o={"axis": 1}),
                Case("stack", [va, b], np.stack([a, b])), Case("stack", [a, b], np.stack([a, b], -1), o={"axis": -1}),
                Case("hstack", [va, b], np.hstack([a, b])), Case("hstack", [v, w], np.hstack([v, w])),
                Case("vstack", [va, v], np.vstack([a, v])), Case("dstack", [va, b], np.dstack([a, b])),
                Case("dstack", [v, v], np.dstack([v, v])), Case("column_stack", [v, v], np.column_stack([v, v])),
                Case("column_stack", [b.T, v], np.column_stack([b.T, v])), Case("append", [a, w], np.append(a, w)),
                Case("append", [a, b], np.append(a, b, 1), o={"axis": 1}),
                Case("unstack", [va], list(a)), Case("unstack", [a], list(a.T), o={"axis": -1})]
    for a, b in (("i32", "f32"), ("bool", "u8"), ("f16", "bf16"), ("f32", "complex64"), ("i8", "u8")):
        x, y = numbers(a, (3,), 0, 9), numbers(b, (2,), 0, 9)
        dtype = promote(x.dtype, y.dtype)
        out.append(Case("concat", [x, y], np.concatenate([x.astype(dtype), y.astype(dtype)])))
    return out


def splitting():
    out = []
    for name in SOME:
        x, v = numbers(name, (6, 4, 2)), numbers(name, (7,))
        for axis, n in ((0, 3), (1, 2), (-1, 1), (-2, 4)):
            out.append(Case("split", [x], np.split(x, n, axis), o={"sections": n, "axis": axis}))
            out.append(Case("array_split", [x], np.array_split(x, n + 1, axis), o={"sections": n + 1, "axis": axis}))
        out.append(Case("array_split", [v], np.array_split(v, 9), o={"sections": 9}))
        for places in ([2], [1, 3, 5], [], [3, 1], [-2], [20]):
            out.append(Case("split", [v], np.split(v, places), o={"places": places}))
        out += [Case("hsplit", [x], np.hsplit(x, 2), o={"sections": 2}), Case("vsplit", [x], np.vsplit(x, 2), o={"sections": 2}),
                Case("dsplit", [x], np.dsplit(x, 2), o={"sections": 2}), Case("hsplit", [v[:6]], np.hsplit(v[:6], 3), o={"sections": 3})]
    return out


def repeating():
    out = []
    for i, name in enumerate(ALL):
        x, v = numbers(name, (3, 4)), numbers(name, (5,))
        for a in (x, View(x, VIEWS[i % 3])):
            for times, axis in ((2, None), (3, 0), (1, -1), (0, 1)):
                o = {"times": times} | ({} if axis is None else {"axis": axis})
                out.append(Case("repeat", [a], np.repeat(x, times, axis), o=o))
            out.append(Case("repeat", [a], np.repeat(x, [1, 0, 3], 0), o={"each": [1, 0, 3], "axis": 0}))
            counts = np.array([1, 0, 3])
            repeated = np.repeat(x, counts, 0)
            out.append(Case("repeat", [a, counts], repeated, o={"axis": 0}))
            out.append(Case("repeat", [a, counts.astype("u1")], repeated[:3], o={"axis": 0, "total": 3}, jit=True))
            filled = np.concatenate([repeated, x[2:], x[2:]])  # as JAX: the last element fills what is left
            out.append(Case("repeat", [a, counts], filled, o={"axis": 0, "total": 6}, jit=True))
            out.append(Case("repeat", [a, np.int32(2)], np.repeat(x, 2, 1), o={"axis": 1}))
            for times in ([2], [2, 3], [2, 1, 2], [0, 1], []):
                out.append(Case("tile", [a], np.tile(x, times), o={"times": times}))
            for places, axis in (([1], 0), ([0, 2], 1), ([-1], -1), ([5, 5], None)):
                o = {"places": places} | ({} if axis is None else {"axis": axis})
                out.append(Case("delete_at", [a], np.delete(x, places, axis), o=o))
            out.append(Case("insert_at", [a, x[:1]], np.insert(x, [1], x[:1], 0), o={"places": [1], "axis": 0}))
            out.append(Case("insert_at", [a, v[0]], np.insert(x, [4, 0], v[0], 1), o={"places": [4, 0], "axis": 1}))
        out.append(Case("repeat", [v], np.repeat(v, [0, 1, 2, 0, 3]), o={"each": [0, 1, 2, 0, 3]}))
        out.append(Case("insert_at", [v, v[:3]], np.insert(v, [1, 1, 5], v[:3]), o={"places": [1, 1, 5]}))
        out.append(Case("insert_at", [v, v[0]], np.insert(v, [-1], v[0]), o={"places": [-1]}))
    return out


MODES = ["edge", "linear_ramp", "maximum", "mean", "minimum", "reflect", "symmetric", "wrap"]


def padding():
    out = []
    for i, name in enumerate(ALL):
        x, v = numbers(name, (3, 4)), numbers(name, (5,))
        for a in (x, View(x, VIEWS[i % 3])):
            for widths in ([[1, 2]], [[0, 3], [2, 0]]):
                np_widths = [tuple(w) for w in (widths * 2 if len(widths) == 1 else widths)]
                out.append(Case("pad", [a], np.pad(x, np_widths), o={"widths": widths}))
        for low, high, interior in ((1, 2, 0), (-1, 2, 1), (0, -3, 2), (2, -1, 3), (-2, -2, 0), (-5, 0, 0)):
            want = np.asarray(spread_pad(v, low, high, interior))
            out.append(Case("pad", [v, v[0]], want, o={"low": [low], "high": [high], "interior": [interior]}))
        if name in FLOATS + ["i32", "i64"]:
            out += [case for mode in MODES for case in pad_mode(name, x, mode)]
    v = numbers("i32", (4,))
    out += [Case("pad", [v], np.pad(v, (2, 1), constant_values=(7, 9)), o={"widths": [[2, 1]], "values": [[7, 9]]}),
            Case("pad", [numbers("f32", (2, 2))], None, o={"widths": [[1, 1]], "mode": "empty"},
                 check=lambda y: assert_shape(y, (4, 4))),
            Case("pad", [np.zeros((0,), "f4")], np.zeros(3, "f4"), o={"widths": [[1, 2]]})]
    for mode in ("edge", "reflect", "maximum", "wrap", "symmetric", "mean"):
        out.append(Case("pad", [np.zeros((0,), "f4")], error="pad", o={"widths": [[1, 2]], "mode": mode}))
        out.append(Case("pad", [np.zeros((0, 2), "f4")], np.zeros((0, 4), "f4"), o={"widths": [[0, 0], [1, 1]], "mode": mode}))
    out.append(Case("pad", [v], error="pad", o={"widths": [[-1, 2]]}))
    return out


def spread_pad(v, low, high, interior):
    spread = np.full(max(0, v.size + (v.size - 1) * interior), v[0], v.dtype)
    spread[::interior + 1] = v
    spread = np.concatenate([np.full(max(low, 0), v[0]), spread, np.full(max(high, 0), v[0])])[max(-low, 0):]
    return spread[:max(spread.size - max(-high, 0), 0)]


def pad_mode(name, x, mode):
    """NumPy rounds means of integers to the nearest; 16-bit floats are compared in f64."""
    out, w = [], wide(x) if name in FLOATS else x
    options = [{}]
    if mode in ("maximum", "mean", "minimum"):
        options.append({"stat_length": [[2, 1]]})
    if mode in ("reflect", "symmetric"):
        options.append({"odd": True})
    if mode == "linear_ramp":
        options.append({"values": [[3, -2]]})
    for widths in ([[1, 2], [3, 1]], [[7, 0], [0, 9]]):
        for o in options:
            kwargs = {"stat_length": [tuple(p) for p in o["stat_length"]]} if "stat_length" in o else {}
            kwargs |= {"reflect_type": "odd"} if "odd" in o else {}
            kwargs |= {"end_values": (3, -2)} if "values" in o else {}
            want = np.pad(w, [tuple(p) for p in widths], mode, **kwargs)
            out.append(Case("pad", [x], want, ulps=4 if name in FLOATS else 0, size=60, dtypes=x.dtype,
                            o={"widths": widths, "mode": mode} | o))
    return out


def errors():
    x = np.zeros((2, 3), "f4")
    return [Case(f, [x], error=f.split("_")[0], o=o) for f, o in (
        ("reshape", {"shape": [4]}), ("reshape", {"shape": [-1, -1]}), ("squeeze", {"axes": [0]}),
        ("broadcast_to", {"shape": [3, 2]}), ("permute_dims", {"axes": [0, 0]}), ("flip", {"axes": [2]}),
        ("split", {"sections": 2, "axis": 1}), ("unstack", {"axis": 5}), ("moveaxis", {"source": 3, "destination": 0}))] + [
        Case("repeat", [x, np.array([1, 2])], error="repeat: counts i64[2] for 6 elements"),
        Case("repeat", [x[0], np.array([1, -2, 3])], error="repeat: cannot repeat -2 times"),
        Case("repeat", [x[0], np.array([1, 2, 3])], error="is being traced", jit=True),
        Case("roll", [x, np.float32(1)], error="roll: shifts must be integers"),
        Case("roll", [x, np.array([1, 2])], error="roll: shifts i64[2] for 1 axis")]
