#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The programs in examples/ run, print what they should, and the networks learn."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("HEARTH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[1]))
BUILD = pathlib.Path(os.environ.get("HEARTH_BUILD", ROOT / "build"))


def run(name, *words):
    done = subprocess.run([BUILD / f"example_{name}", *map(str, words)], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"{name} {words}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


class CustomOperation(unittest.TestCase):
    RESULTS = """\
softcap: -1.99866 -0.924234 0 0.924234 1.99866
jit: -1.99866 -0.924234 0 0.924234 1.99866
grad: 0.00134087 0.786448 1 0.786448 0.00134087
second derivative: 0.00133997 0.363431 0 -0.363431 -0.00133997
vmap: 2.44742 3.73835
bf16, decomposed: -2 -0.925781 0 0.925781 2
"""

    def numbers(self, text):
        """{title: [numbers]} of lines 'title: 1 2 3'."""
        lines = [line.split(": ") for line in text.splitlines() if not line.startswith("plan")]
        return {title: [float(word) for word in words.split()] for title, words in lines}

    def same(self, got, wanted):
        got, wanted = self.numbers(got), self.numbers(wanted)
        self.assertEqual(list(got), list(wanted))
        for title in wanted:
            self.assertEqual(len(got[title]), len(wanted[title]), title)
            for a, b in zip(got[title], wanted[title]):
                self.assertAlmostEqual(a, b, delta=2e-6, msg=title)

    def test_is_computed_and_kept_in_a_plan(self):
        with tempfile.TemporaryDirectory() as folder:
            plan = pathlib.Path(folder) / "softcap.plan"
            text = run("custom_operation", plan)
            self.same(text, self.RESULTS)
            self.assertIn("plan: example.softcap\n", text)  # the kernel, not the decomposition
            results = self.RESULTS.splitlines()
            self.same(run("run_custom_plan", plan), "y" + results[0][7:] + "\ndx" + results[2][4:])

    def test_runs_where_only_the_runtime_is_linked(self):
        check = subprocess.run([ROOT / "tests" / "runtime_link_test.sh", BUILD / "libhearth_runtime.a",
                                BUILD / "example_run_custom_plan"], capture_output=True, text=True)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    def test_a_program_without_the_kernel_says_so(self):
        program = BUILD / "hearth_run_plan"
        if not program.is_file():
            self.skipTest(f"SKIP no program at {program}")
        with tempfile.TemporaryDirectory() as folder:
            plan = pathlib.Path(folder) / "softcap.plan"
            run("custom_operation", plan)
            done = subprocess.run([program, plan], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("example.softcap", done.stderr)
        self.assertIn("this build has no such kernel", done.stderr)


class Arrays(unittest.TestCase):
    PRINTED = """\
bf16: [ 4.   5.5 -5. ] bf16

first column divided by 10:
[[ 1. 20.]
 [ 3. 40.]]
before, untouched:
[[10. 20.]
 [30. 40.]]

two zeros between neighbours: [1 0 0 2 0 0 3]
one in front, the last removed: [0 1 2]

jit: 5.0 10.0, traced 1 time
its derivative: [0.6 0.8]
"""

    def test_prints_what_numpy_would(self):
        self.assertEqual(run("arrays"), self.PRINTED)


class Networks(unittest.TestCase):
    def learns(self, name, first, last):
        """The loss of a network begins above `first` and ends below `last`, also on examples it has not seen."""
        with tempfile.TemporaryDirectory() as folder:
            chart = pathlib.Path(folder) / "loss.svg"
            text = run(name, chart)
            drawn = chart.read_text(encoding="utf-8")
        losses = [float(loss) for loss in re.findall(r"^step \d+ loss (\S+)$", text, re.M)]
        test = float(re.search(r"^test loss (\S+)$", text, re.M).group(1))
        self.assertGreater(len(losses), 3, text)
        self.assertGreater(losses[0], first)
        self.assertLess(losses[-1], last)
        self.assertLess(test, last)
        self.assertTrue(drawn.startswith("<svg") and ("<polyline" in drawn or "<path" in drawn))

    def test_mlp(self):
        self.learns("mlp", 2, 0.8)  # log 10 = 2.3 is a guess

    def test_resnet(self):
        self.learns("resnet", 1, 0.2)  # log 4 = 1.4 is a guess

    def test_programs_are_short(self):
        for name in ("mlp", "resnet"):
            lines = (ROOT / "examples" / f"{name}.cc").read_text(encoding="utf-8").count("\n")
            self.assertLess(lines, 80, name)


if __name__ == "__main__":
    unittest.main()
