# SPDX-License-Identifier: Apache-2.0
"""All cases; the public functions as the headers declare them; those that other tests cover; the standard's list."""
import re

from . import (binary, creation, elementwise, indexing, linear, manipulation, neural, numpy_extras, ordering,
               statistics, transforms)

MODULES = (elementwise, binary, creation, manipulation, statistics, ordering, linear, numpy_extras, indexing, neural,
           transforms)

# Files need names, arrays values: these are called in the file named.
ELSEWHERE = {"array": "src/array/array_test.cc", "eval": "src/array/array_test.cc", "load_npz": "src/array/npy_test.cc",
             "save_npz": "src/array/npy_test.cc", "array_from_bytes": "src/array/random_test.cc",
             "save_function": "src/array/save_function_test.cc"}

# Helpers that a header needs and no user calls.
INTERNAL = {"plain_number", "weak_scalar", "element", "convert_number", "run_profiled", "arange_of", "to_list", "from_list",
            "call_with_list", "spread", "on_list", "as_signature_of", "check_examples"}
# The Python Array API standard 2024.12, section by section, its optional extensions linalg and fft included.
STANDARD = """
abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_invert bitwise_or
bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater
greater_equal hypot imag isfinite isinf isnan less less_equal log log1p log2 log10 logaddexp logical_and logical_not
logical_or logical_xor maximum minimum multiply negative nextafter not_equal positive pow real reciprocal remainder round
sign signbit sin sinh square sqrt subtract tan tanh trunc

arange asarray empty empty_like eye full full_like linspace meshgrid ones ones_like tril triu zeros zeros_like
astype can_cast finfo iinfo isdtype result_type
take take_along_axis
matmul matrix_transpose tensordot vecdot
broadcast_arrays broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile unstack
argmax argmin count_nonzero nonzero searchsorted where
unique_all unique_counts unique_inverse unique_values
argsort sort
cumulative_prod cumulative_sum max mean min prod std sum var
all any diff

cholesky cross det diagonal eigh eigvalsh inv matrix_norm matrix_power matrix_rank outer pinv qr slogdet solve svd svdvals
trace vector_norm

fft ifft fftn ifftn rfft irfft rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift ifftshift
"""
# What a C++ name cannot be, and what is about Python modules: from_dlpack, __array_namespace_info__ and its questions.
RENAMED = {"std": "stddev"}


def standard_names():
    return [RENAMED.get(name, name) for name in STANDARD.split()]


def all_cases():
    return [case for module in MODULES for case in module.cases()]


def public_functions(folder):
    """Names of the free functions that the umbrella header gives a user, and "at.f" for the members of IndexedArray."""
    names = set()
    for header in re.findall(r'#include "array/(\w+\.h)"', (folder / "arrays.h").read_text(encoding="utf-8")):
        text = re.sub(r"//.*", "", (folder / header).read_text(encoding="utf-8"))
        if "namespace hearth::random" in text:
            continue  # tests/interop/random_test.py
        names |= {name for name in re.findall(r"^(?:inline )?[A-Za-z_][\w:<>]*[ &*]+(\w+)\(", text, re.M)}
        if header == "indexed_update.h":
            names |= {f"at.{name}" for name in re.findall(r"^  Array (\w+)\(", text, re.M)}
    return {name for name in names if name not in INTERNAL and not name.startswith("operator")}
