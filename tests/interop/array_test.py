# SPDX-License-Identifier: Apache-2.0
"""The whole array library against NumPy, SciPy, JAX and PyTorch: thousands of calls of every public function.

One process (hearth_array) reads all arrays and calls from two files and writes all results to a third. The headers of
src/array are read too: a public function without a case is a failure, and so is one that neither they nor the cases of
another test know. HEARTH_VERBOSE=1 prints the number of cases a function.
"""
import collections
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import warnings

os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import numpy as np

from array_cases import api
from array_cases.case import BF16, NAME_OF, View, plain

ROOT = pathlib.Path(os.environ.get("HEARTH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("HEARTH_BUILD", ROOT / "build"))
TOOL = BUILD / "hearth_array"


class Files:
    """Cases as the tool reads them."""

    def __init__(self, cases):
        self.arrays, self.names = {}, {}
        self.cases = [self.case(c) for c in cases]

    def case(self, c):
        out = {"f": c.f, "x": [self.value(x) for x in c.x], "o": {k: self.option(v) for k, v in c.o.items()}}
        if c.jit:
            out["jit"] = True
        if c.weights is not None:
            out["weights"] = [self.value(w) for w in c.weights]
        return out

    def option(self, value):
        return [self.option(v) for v in value] if isinstance(value, (list, tuple)) else self.value(value)

    def value(self, x):
        if isinstance(x, (np.ndarray, View, np.generic)):
            return self.reference(x)
        if isinstance(x, complex):
            return {"re": x.real, "im": x.imag}
        if isinstance(x, float) and not math.isfinite(x):
            return str(x)
        if isinstance(x, slice):
            return {"slice": [x.start, x.stop, x.step]}
        return {type(...): "...", type(None): "new"}.get(type(x), x)

    def reference(self, x):
        stored = x.stored() if isinstance(x, View) else np.asarray(x)
        key = (stored.tobytes(), stored.shape, NAME_OF[stored.dtype])
        name = self.names.setdefault(key, f"x{len(self.names)}")
        self.arrays[name] = stored.view(np.uint16) if stored.dtype == BF16 else stored
        out = {"name": name, "dtype": NAME_OF[stored.dtype]}
        return out | {"view": x.kind} if isinstance(x, View) else out


def run(cases):
    """Results of each case: a list of arrays, or the error's text."""
    files = Files(cases)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.savez(folder / "in.npz", **files.arrays)
        (folder / "cases.json").write_text(json.dumps(files.cases), encoding="utf-8")
        done = subprocess.run([TOOL, folder / "in.npz", folder / "cases.json", folder / "out.npz"], capture_output=True,
                              timeout=600)
        if done.returncode:
            raise AssertionError(f"hearth_array: {done.stderr.decode().strip()}")
        results, errors = [{} for _ in cases], [None] * len(cases)
        with np.load(folder / "out.npz") as out:
            for name in out.files:
                case, result, *kind = name.split(".")
                if result == "error":
                    errors[int(case)] = out[name].tobytes().decode()
                else:
                    results[int(case)][int(result)] = out[name].view(BF16) if kind else out[name]
    return [([r[i] for i in range(len(r))], e) for r, e in zip(results, errors)]


class ArrayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's of NaN slices, overflow in casts
            cls.cases = api.all_cases()
        cls.results = run(cls.cases)

    def test_every_call_agrees(self):
        failed = []
        for case, (results, error) in zip(self.cases, self.results):
            try:
                case.verify(results, error)
            except AssertionError as difference:
                failed.append((case.f, f"{case}: {difference}"))
        count = collections.Counter(c.f for c in self.cases)
        if os.environ.get("HEARTH_VERBOSE"):
            print(len(self.cases), "cases of", len(count), "functions:", dict(count), file=sys.stderr)
        functions = collections.Counter(f for f, _ in failed)
        shown = "\n".join(text for _, text in failed[:int(os.environ.get("HEARTH_SHOW", 40))])
        self.assertFalse(failed, f"{len(failed)} of {len(self.cases)} calls differ: {dict(functions)}\n{shown}")

    def test_every_function_has_a_case(self):
        public, cased = api.public_functions(ROOT / "src" / "array"), {c.f for c in self.cases}
        self.assertGreater(len(public), 250)
        without = sorted(name for name in public if name not in cased and name not in api.ELSEWHERE)
        self.assertFalse(without, "public functions of src/array without a case in tests/interop/array_cases")
        self.assertFalse(sorted(set(api.ELSEWHERE) - public), "api.ELSEWHERE names functions that are not there")
        tool = set(subprocess.run([TOOL], capture_output=True, text=True, check=True).stdout.split())
        self.assertFalse(sorted(tool - cased), "functions of hearth_array that no case calls")

    def test_functions_tested_elsewhere_are_called_there(self):
        for name, path in api.ELSEWHERE.items():
            text = (ROOT / path).read_text(encoding="utf-8")
            self.assertRegex(text, rf"\b{re.escape(name)}\b", f"{name}: not in {path}")

    def test_array_api_standard_is_complete(self):
        public = api.public_functions(ROOT / "src" / "array")
        missing = sorted(name for name in api.standard_names() if name not in public)
        self.assertFalse(missing, "functions of the Python Array API standard 2024.12 that are not there")


if __name__ == "__main__":
    unittest.main()
