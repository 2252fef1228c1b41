# SPDX-License-Identifier: Apache-2.0
"""The rows of bench/arrays.py: every side knows them, and ours can run them."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("HEARTH_SOURCE_DIR", pathlib.Path(__file__).resolve().parent.parent))
BUILD = pathlib.Path(os.environ.get("HEARTH_BUILD", SOURCE / "build"))
sys.path[:0] = [str(SOURCE / "bench"), str(SOURCE / "bench" / "peers")]
import array_jax  # noqa: E402
import array_rows  # noqa: E402
import array_torch  # noqa: E402


class Rows(unittest.TestCase):
    def setUp(self):
        self.kinds = {row.name.split("-")[0] for row in array_rows.ROWS}

    def test_names_are_unique(self):
        names = [row.name for row in array_rows.ROWS]
        self.assertEqual(len(names), len(set(names)))

    def test_ours_has_exactly_these(self):
        known = subprocess.run([BUILD / "array_bench", "--rows"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(set(known.split()), self.kinds)

    def test_peers_have_them(self):
        peers = {row.name.split("-")[0]: array_rows.peers_of(row) for row in array_rows.ROWS}
        for name, module in (("torch", array_torch), ("jax", array_jax)):
            wanted = {kind for kind in self.kinds if name in peers[kind]}
            known = {kind for kind in wanted if kind in module.SQUARES or hasattr(module.Rows, kind)}
            self.assertEqual(known, wanted, name)

    def test_ours_answers_and_names_what_it_does_not_know(self):
        asked = "matmul-f32-64 0\nno_such_row 0\nattention-bf16-grad-b1-s128-d100 0\n"
        done = subprocess.run([BUILD / "array_bench"], input=asked, capture_output=True, text=True, check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([a["row"] for a in answers], asked.split()[::2])
        self.assertGreater(answers[0]["value"], 0)
        self.assertIn("no row 'no_such_row'", answers[1]["error"])
        self.assertGreater(answers[2]["value"], 0)


if __name__ == "__main__":
    unittest.main()
