#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tutorial, the how-tos and the library reference do what they say. The ```sh blocks of a page run one after the other in
an empty folder, the ```cpp blocks as one program (tools/docs_code.py); what a ```text block shows is in what was printed."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("HEARTH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[1]))
BUILD = pathlib.Path(os.environ.get("HEARTH_BUILD", ROOT / "build"))
PAGES = ROOT / "docs" / "howto"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks(page):
    """[(language, text)] of a page."""
    return FENCE.findall(page.read_text(encoding="utf-8"))


def squeezed(text):
    return re.sub(r"[ \t]+", " ", text)


def missing_lines(shown, printed):
    """Lines of a ```text block that are not in the output, however wide its gaps are."""
    printed = squeezed(printed)
    return [line for line in shown.splitlines() if squeezed(line).strip() not in printed]


def script_of(texts):
    """The blocks as one bash script; the output of each goes to a file of its own in $OUT."""
    parts = [f"exec > $OUT/{i}\n{text}" for i, text in enumerate(texts)]
    return "set -euo pipefail\n" + "".join(parts) + "pwd > $OUT/folder\n"


class Page(unittest.TestCase):
    def setUp(self):
        self.begin_anew()

    def begin_anew(self):
        """An empty folder with assets/ and build/, as Hearth's folder has them; one for each page."""
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name) / "hearth"
        self.out = pathlib.Path(place.name) / "out"
        self.folder.mkdir()
        self.out.mkdir()
        (self.folder / "build").symlink_to(BUILD)
        (self.folder / "assets").symlink_to(ROOT / "assets")

    def run_words(self, words, folder, what):
        environment = {**os.environ, "OUT": str(self.out)}
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, f"{what} ends with {done.returncode} in block {len(list(self.out.iterdir()))}\n"
                         f"{done.stderr}")
        return done.stdout

    def run_shell(self, texts, what):
        """Runs the blocks; the folder in which they end, and what each printed."""
        self.run_words(["bash", "-c", script_of(texts)], self.folder, what)
        printed = [(self.out / str(i)).read_text(encoding="utf-8") for i in range(len(texts))]
        return pathlib.Path((self.out / "folder").read_text().strip()), printed

    def check_outputs(self, folder, texts):
        """Every folder that a command was told to write is there, with files in it."""
        named = re.findall(r"--output ([\w-]+)\b(?![^\n\\]*--dry-run)", "".join(texts).replace("\\\n", " "))
        for name in named:
            files = [path for path in (folder / name).rglob("*") if path.is_file() and path.stat().st_size > 0]
            self.assertTrue(any(path.suffix in (".safetensors", ".bin") for path in files), f"{name} was not written")
        for name in re.findall(r"> ([\w.-]+\.json)\b", "".join(texts)):
            self.assertGreater((folder / name).stat().st_size, 2, name)

    def check(self, page, first=()):
        found = blocks(page)
        texts = [*first, *(text for language, text in found if language == "sh")]
        folder, printed = self.run_shell(texts, page.name)
        self.check_outputs(folder, texts)
        code = [text for language, text in found if language == "cpp"]
        if code:
            printed_by_code = self.run_words([BUILD / "docs_code", page.stem], folder, page.name)
        place = len(first) - 1
        for language, text in found:
            place += language == "sh"
            if language == "text":
                said = printed_by_code if code else printed[place]
                self.assertEqual(missing_lines(text, said), [], f"{page.name} shows what is not in\n{said}")
        return "".join(printed)


class Pages(Page):
    def test_tutorial(self):
        said = self.check(ROOT / "docs" / "tutorial.md")
        change = re.search(r"^loss +[\d.]+ +[\d.]+ +([+-][\d.]+)$", said, re.M)
        self.assertLess(float(change.group(1)), -0.1, "tuning was worth nothing")

    def test_how_tos(self):
        begin = [text for language, text in blocks(PAGES / "README.md") if language == "sh"]
        self.assertEqual(len(begin), 1)
        pages = sorted(set(PAGES.glob("*.md")) - {PAGES / "README.md"})
        listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (PAGES / "README.md").read_text(encoding="utf-8")))
        self.assertEqual({page.name for page in pages}, listed)
        for page in [*pages, ROOT / "docs" / "library.md"]:
            with self.subTest(page=page.name):
                self.begin_anew()
                self.check(page, begin)

    def test_the_check_can_fail(self):
        with self.assertRaisesRegex(AssertionError, "in block 2"):
            self.run_shell(["true\n", "false\n", "true\n"], "three blocks")
        with self.assertRaisesRegex(AssertionError, "tuned was not written"):
            self.check_outputs(self.folder, ["hearth finetune --output tuned\n"])
        self.check_outputs(self.folder, ["hearth finetune --output tuned --dry-run\n"])
        self.assertEqual(missing_lines("rank  8\nalpha 3\n", "the rank 8, \nalpha 16\n"), ["alpha 3"])


if __name__ == "__main__":
    unittest.main()
