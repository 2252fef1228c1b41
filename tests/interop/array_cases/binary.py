# SPDX-License-Identifier: Apache-2.0
"""Element-wise functions of two and three arrays, operators, and the types to which they promote: JAX's."""
import jax
import numpy as np

from .case import (ALL, BOOL, COMPLEX, FLOATS, INTEGERS, NAME_OF, NAMES, NUMBERS, REALS, SIGNED, VIEWS, Case, View,
                   inexact, is_complex, is_float, numbers, rng, wide)
from .elementwise import special_values

jax.config.update("jax_enable_x64", True)

SHAPES = [((), ()), ((3,), (3,)), ((4, 1), (1, 5)), ((2, 3, 4), (4,)), ((0,), (1,)), ((3, 0), (1,)), ((65,), ()),
          ((1, 33), (3, 33))]
MIXED = [("bool", "i8"), ("i8", "u8"), ("u32", "i32"), ("i64", "u64"), ("i64", "f16"), ("f16", "bf16"), ("bf16", "f32"),
         ("i32", "f64"), ("u8", "bool")]
MIXED_COMPLEX = [("f64", "complex64"), ("i32", "complex64"), ("complex64", "complex128"), ("bf16", "complex64")]


def promote(*dtypes):
    """JAX's, with f32 as the default float: that is what u64 and a signed integer have in common."""
    kinds = {np.dtype(d).kind for d in dtypes}
    if np.dtype("u8") in map(np.dtype, dtypes) and kinds == {"i", "u"}:
        return np.dtype("f4")
    return np.dtype(jax.numpy.result_type(*[np.dtype(d) for d in dtypes]))


def common(dtype):
    return dtype


def boolean(_):
    return np.dtype(bool)


def power(a, b):
    if a.dtype.kind in "iu":  # NumPy refuses negative exponents: 0, and of 1 and -1 a sign, as the exact value cut off
        low = np.where(b < 0, 0, b)
        whole = np.power(a, low)
        sign = np.where(b % 2 == 0, 1, -1).astype(a.dtype) if a.dtype.kind == "i" else np.ones_like(a)
        return np.where(b < 0, np.where(a == 1, 1, np.where(a == -1, sign, 0)).astype(a.dtype), whole)
    return np.power(a, b)


# name: (function, dtypes, ulps, result's dtype from the common one); floats and complex numbers are computed in f64.
ROWS = {
    "add": (np.add, ALL, 1, common), "subtract": (np.subtract, NUMBERS, 1, common),
    "multiply": (np.multiply, ALL, 1, common), "divide": (np.divide, ALL, 2, inexact),
    "floor_divide": (np.floor_divide, REALS, 0, common), "remainder": (np.remainder, REALS, 0, common),
    "mod": (np.remainder, REALS, 0, common), "fmod": (np.fmod, REALS, 0, common), "pow": (power, NUMBERS, 8, common),
    "power": (power, NUMBERS, 8, common), "maximum": (np.maximum, BOOL + REALS, 0, common),
    "minimum": (np.minimum, BOOL + REALS, 0, common), "fmax": (np.fmax, REALS, 0, common),
    "fmin": (np.fmin, REALS, 0, common), "hypot": (np.hypot, REALS, 2, inexact), "atan2": (np.arctan2, REALS, 4, inexact),
    "copysign": (np.copysign, REALS, 0, inexact), "heaviside": (np.heaviside, REALS, 0, inexact),
    "logaddexp": (np.logaddexp, REALS, 4, inexact), "logaddexp2": (np.logaddexp2, REALS, 4, inexact),
    "equal": (np.equal, ALL, 0, boolean), "not_equal": (np.not_equal, ALL, 0, boolean),
    "less": (np.less, BOOL + REALS, 0, boolean), "less_equal": (np.less_equal, BOOL + REALS, 0, boolean),
    "greater": (np.greater, BOOL + REALS, 0, boolean), "greater_equal": (np.greater_equal, BOOL + REALS, 0, boolean),
    "logical_and": (np.logical_and, ALL, 0, boolean), "logical_or": (np.logical_or, ALL, 0, boolean),
    "logical_xor": (np.logical_xor, ALL, 0, boolean), "bitwise_and": (np.bitwise_and, BOOL + INTEGERS, 0, common),
    "bitwise_or": (np.bitwise_or, BOOL + INTEGERS, 0, common), "bitwise_xor": (np.bitwise_xor, BOOL + INTEGERS, 0, common),
    "bitwise_left_shift": (np.left_shift, INTEGERS, 0, common),
    "bitwise_right_shift": (np.right_shift, INTEGERS, 0, common),
}
SHIFTS = ("bitwise_left_shift", "bitwise_right_shift")
SUMS = ("add", "subtract", "logaddexp", "logaddexp2")  # terms of the operands' size cancel


def case(f, a, b, jit=False):
    function, _, ulps, result = ROWS[f]
    x, y = np.asarray(getattr(a, "x", a)), np.asarray(getattr(b, "x", b))
    shared = promote(x.dtype, y.dtype)
    dtype = result(shared)
    operands = inexact(shared) if result is inexact else shared
    lift = wide if is_float(operands) or is_complex(operands) else np.asarray
    x, y = lift(x.astype(operands)), lift(y.astype(operands))
    if is_complex(operands):
        ulps *= 8
    elif f in ("pow", "power") and operands != np.float64:
        ulps = 2  # computed in f64
    want = np.asarray(function(x, y))
    size = 0
    if is_complex(operands):
        size = np.abs(x) + np.abs(y) if f in SUMS else 0
    elif f in ("logaddexp", "logaddexp2"):
        size = np.where(np.isfinite(x) & np.isfinite(y), np.maximum(np.abs(x), np.abs(y)) + 1, 0)
    return Case(f, [a, b], want, ulps=ulps, size=size, dtypes=dtype, jit=jit)


def pairs(name):
    """Every special value with every other one."""
    x = special_values(name)
    x = x[:24] if name in COMPLEX else x
    return np.repeat(x, x.size), np.tile(x, x.size)


def shift_amounts(name, shape):
    width = NAMES[name].itemsize * 8
    return rng.integers(0, min(width * 2, 127), shape).astype(NAMES[name])


def values(f, name, shape):
    if f in ("pow", "power") and name in INTEGERS:
        return numbers(name, shape, -3, 7)
    return numbers(name, shape)


def cases():
    out = []
    for f, row in ROWS.items():
        for i, name in enumerate(row[1]):
            if f in SHIFTS:
                a = np.repeat(special_values(name), 20)
                out.append(case(f, a, shift_amounts(name, a.shape)))
                continue
            if not (name in COMPLEX and f in ("pow", "power", "divide")):
                out.append(case(f, *pairs(name)))
            a, b = SHAPES[(i + len(out)) % len(SHAPES)]
            out.append(case(f, values(f, name, a), values(f, name, b), jit=i % 3 == 0))
            out.append(case(f, View(values(f, name, (5, 31)), VIEWS[i % 3]), values(f, name, (5, 1))))
        complexes = MIXED_COMPLEX if "complex64" in row[1] else []
        for a, b in MIXED + complexes:
            if promote(NAMES[a], NAMES[b]).name in [NAMES[n].name for n in row[1]] and f not in SHIFTS:
                out.append(case(f, values(f, a, (7,)), values(f, b, (7,))))
    return out + promotions() + others() + operators()


def promotions():
    """All pairs of types, and numbers of the program beside arrays, which adapt."""
    out = []
    for a in ALL:
        for b in ALL:
            x, y = np.ones(2, NAMES[a]), np.ones(2, NAMES[b])
            out.append(case("multiply", x, y))
        x = np.ones(2, NAMES[a])
        for number in (True, 2, 2.0, 2j):
            dtype = np.dtype(jax.numpy.result_type(x.dtype, number))
            if a == "bool" and number is not True or NAME_OF[x.dtype] in INTEGERS and isinstance(number, (float, complex)):
                dtype = {int: np.dtype("i4"), float: np.dtype("f4"), complex: np.dtype("c8")}[type(number)]
            out.append(Case("multiply", [x, number], (wide(x) * number).astype(dtype) if a != "bool" or number is not True
                            else x, dtypes=dtype))
    return out


def others():
    out = []
    for name in FLOATS:
        dtype = NAMES[name]
        a, b = pairs(name)
        out.append(Case("nextafter", [a, b], np.nextafter(a, b), dtypes=dtype))
        x, e = numbers(name, (9, 5)), rng.integers(-30, 30, (9, 5)).astype(np.int32)
        out.append(Case("ldexp", [x, e], np.ldexp(wide(x), e), ulps=1, dtypes=dtype))
        out.append(Case("divmod", [a, b], [np.floor_divide(wide(a), wide(b)), np.remainder(wide(a), wide(b))], dtypes=dtype))
    out.append(Case("ldexp", [np.arange(5), np.int32(3)], np.arange(5) * 8.0, dtypes=np.dtype("f4")))
    for name in SIGNED:
        a, b = pairs(name)
        out.append(Case("divmod", [a, b], list(np.divmod(a, b))))
    for name in ALL:
        x, y, c = numbers(name, (4, 1, 3)), numbers(name, (5, 1)), numbers("bool", (5, 3))
        out.append(Case("where", [c, x, y], np.where(c, x, y)))
        if name in REALS:
            low, high = x - np.asarray(2).astype(x.dtype), x
            out.append(Case("clip", [y], np.minimum(np.maximum(y, low), high), o={"low": low, "high": high}))
            out.append(Case("clip", [y], np.maximum(y, y.dtype.type(1)), o={"low": 1}))
            out.append(Case("clip", [y], np.minimum(y, y.dtype.type(1)), o={"high": 1}))
    c, x = numbers("i32", (3,), 0, 1), numbers("f32", (4, 3))
    out.append(Case("where", [c, x, 1.5], np.where(c != 0, x, np.float32(1.5))))
    out.append(Case("where", [numbers("bool", (3,)), np.arange(3), np.float32(2)], None, check=has_dtype(np.float32)))
    # The other branch's NaN does not reach the result; a scalar condition broadcasts.
    out.append(Case("where", [np.bool_(True), x, np.full((1, 3), np.nan, np.float32)], x))
    return out


def has_dtype(dtype):
    def check(result):
        assert result.dtype == dtype, result.dtype
    return check


def operators():
    out = []
    for name in ("i8", "u16", "i64", "f16", "f32", "f64"):
        a, b = numbers(name, (3, 4), 1, 9), numbers(name, (4,), 1, 9)
        x, y = (wide(a), wide(b)) if name in FLOATS else (a, b)
        dtype, ratio = a.dtype, inexact(a.dtype)
        quotient_ = wide(a, ratio) / wide(b, ratio)
        values_ = [x + y, x - y, x * y, quotient_, np.remainder(x, y), -x, x, a == b, a != b, a < b, a <= b, a > b, a >= b,
                   x + y, x - y, x * y, quotient_]
        dtypes = [dtype] * 3 + [ratio] + [dtype] * 3 + [np.dtype(bool)] * 6 + [dtype] * 3 + [ratio]
        out.append(Case("operators", [a, b], values_, ulps=1, dtypes=dtypes))
        if name not in FLOATS:
            out.append(Case("bit_operators", [a, b], [a & b, a | b, a ^ b, ~a, a << b, a >> b]))
    return out
