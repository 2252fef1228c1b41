#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents say what is so: paths and functions exist, links lead somewhere, commands are in the Makefile, generated
tables are up to date, the demo's text in the README is what the program prints."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("HEARTH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[1]))
BUILD = pathlib.Path(os.environ.get("HEARTH_BUILD", ROOT / "build"))
HEARTH = pathlib.Path(os.environ.get("HEARTH", BUILD / "hearth"))
README = ROOT / "README.md"


def documents():
    return [README, ROOT / "BENCHMARKS.md", ROOT / "bench" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def read(path):
    return path.read_text(encoding="utf-8")


def defines(source, name):
    """Whether a C++ text defines a function, type, constant or member of that name (a call does not count)."""
    name = re.escape(name)
    function = rf"^[^\n#/]*[\w>&*\]] \*?&?(?:\w+::)*{name}\((?![^\n]*;\s*$)"
    other = rf"\b(?:struct|class|enum class|using) {name}\b|\b{name} ?(?:=|\{{)|^\s*[\w:<>]+ {name}\b[^(]*;"
    return bool(re.search(function, source, re.M) or re.search(other, source, re.M))


def anchors(text):
    """GitHub's names of a document's headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


class Walk(unittest.TestCase):
    def test_paths_and_functions_exist(self):
        places = 0
        for document in documents():
            for path, name in re.findall(r"`(src/[\w./]+\.\w+)(?::(\w+))?`", read(document)):
                places += 1
                with self.subTest(document=document.name, path=path, name=name):
                    self.assertTrue((ROOT / path).is_file(), f"{document.name} names {path}, which does not exist")
                    if name:
                        self.assertTrue(defines(read(ROOT / path), name), f"{path} defines no {name}")
        self.assertGreater(places, 20)

    def test_tables_of_a_walk_name_what_the_file_defines(self):
        for document in sorted((ROOT / "docs" / "walk").glob("*.md")):
            rows = re.findall(r"^\| (\d+) \| `([^`]+)` \| ([^|]+) \|", read(document), re.M)
            self.assertTrue(rows, f"{document.name} has no table of files")
            self.assertEqual([int(number) for number, _, _ in rows], list(range(1, len(rows) + 1)))
            for _, path, names in rows:
                for name in re.findall(r"`(\w+)`", names):
                    with self.subTest(path=path, name=name):
                        self.assertTrue(defines(read(ROOT / path), name), f"{path} defines no {name}")

    def test_decisions_name_what_is_there(self):
        """`name`, `path`: the file mentions the name."""
        for document in sorted((ROOT / "docs" / "decisions").glob("*.md")):
            for name, path in re.findall(r"`([\w:]+)`, `(src/[\w./]+\.\w+)`", read(document)):
                with self.subTest(document=document.name, name=name, path=path):
                    self.assertIn(name.split("::")[-1], read(ROOT / path))

    def test_the_check_can_fail(self):
        text = "static void run(int a) {\n  gemm(a);\n}\nvoid later(int a);\nreturn other(3);\n"
        self.assertTrue(defines(text, "run"))
        for name in ("gemm", "later", "other", "nothing"):
            self.assertFalse(defines(text, name), name)


class Links(unittest.TestCase):
    def test_internal_links_resolve(self):
        count = 0
        for document in documents():
            for link in re.findall(r"\]\(([^)\s]+)\)", read(document)):
                if re.match(r"[a-z]+:", link):
                    continue
                count += 1
                path, _, anchor = link.partition("#")
                target = (document.parent / path).resolve() if path else document
                with self.subTest(document=document.name, link=link):
                    self.assertTrue(target.exists(), f"{document.name} links to {link}, which does not exist")
                    if anchor:
                        self.assertIn(anchor, anchors(read(target)))
        self.assertGreater(count, 10)

    def test_every_decision_is_listed(self):
        folder = ROOT / "docs" / "decisions"
        listed = set(re.findall(r"\]\((\d\d-[\w-]+\.md)\)", read(folder / "README.md")))
        self.assertEqual(listed, {path.name for path in folder.glob("[0-9]*.md")})


class Commands(unittest.TestCase):
    def test_make_targets_exist(self):
        targets = set(re.findall(r"^([\w-]+):", read(ROOT / "Makefile"), re.M))
        for document in documents():
            for command in re.findall(r"(?:^ {4}|`)make ([a-z-]+)", read(document), re.M):
                with self.subTest(document=document.name, command=command):
                    self.assertIn(command, targets)

    def test_commands_and_flags_exist(self):
        if not HEARTH.is_file():
            self.skipTest(f"SKIP no program at {HEARTH}")
        helps = {}
        for document in documents():
            text = re.sub(r"\\\n\s*", "", read(document))
            for command, words in re.findall(r"\bhearth (finetune|generate|chat|evaluate|merge|combine|convert|info|inspect)\b([^\n`#]*)", text):
                if command not in helps:
                    done = subprocess.run([HEARTH, command, "--help"], capture_output=True, text=True, timeout=60)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    helps[command] = done.stdout
                for flag in re.findall(r"--[a-z][\w-]*", words):
                    with self.subTest(document=document.name, command=command, flag=flag):
                        self.assertRegex(helps[command] + " --help ", re.escape(flag) + r"\b")
        self.assertIn("finetune", helps)

    def check_flag_table(self, document, commands, unlisted):
        """The document's table of flags has those of the commands, and no others."""
        if not HEARTH.is_file():
            self.skipTest(f"SKIP no program at {HEARTH}")
        said = "".join(subprocess.run([HEARTH, command, "--help"], capture_output=True, text=True, timeout=60).stdout
                       for command in commands)
        said = said.replace("--[no-]", "--")
        table = read(ROOT / "docs" / document).split("## Flags")[1].split("##")[0]
        flags = set(re.findall(r"--[a-z][\w-]*", table))
        self.assertGreater(len(flags), 20)
        for flag in flags:
            self.assertRegex(said, re.escape(flag.replace("--no-model-", "--model-")) + r"\b")
        missing = set(re.findall(r"^ +(--[a-z][\w-]*)", said, re.M)) - flags
        self.assertEqual(missing - {"--quiet", "--json", "--config", "--help", *unlisted}, set(),
                         f"docs/{document} lacks flags")

    def test_training_flags_exist(self):
        self.check_flag_table("training.md", ["finetune"], ["--dry-run"])

    def test_generation_flags_exist(self):
        self.check_flag_table("generation.md", ["generate", "chat"], ["--threads"])


DEMO_BLOCK = re.compile(r"(<!-- demo:begin -->\n```\w*\n)(.*?)(```\n<!-- demo:end -->)", re.S)


def record_demo(output):
    """Puts the standard output of tools/demo into the README."""
    text = read(README)
    README.write_text(DEMO_BLOCK.sub(lambda m: m.group(1) + output.strip("\n") + "\n" + m.group(3), text), encoding="utf-8")


class Demo(unittest.TestCase):
    """The README shows the standard output of tools/demo, which is the same at every run."""

    @classmethod
    def setUpClass(cls):
        block = DEMO_BLOCK.search(read(README))
        cls.shown = block.group(2) if block else ""

    def hearth(self, *words):
        if not HEARTH.is_file():
            self.skipTest(f"SKIP no program at {HEARTH}")
        done = subprocess.run([HEARTH, *words, "--quiet"], capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.strip())
        return done.stdout.strip("\n")

    def test_is_recorded(self):
        self.assertIn("Before", self.shown, "README.md does not show the demo: tools/demo | tests/docs_test.py --record-demo")

    def test_before_is_what_the_model_says(self):
        demo = read(ROOT / "tools" / "demo")
        prompt = re.search(r"prompt=\$'([^']*)'", demo).group(1).replace("\\n", "\n")
        tokens = re.search(r"--max-tokens (\d+)", demo).group(1)
        model = ROOT / "assets" / "prose-14m"
        said = self.hearth("generate", "--model", model, "--prompt", prompt, "--max-tokens", tokens, "--dtype", "f32")
        self.assertIn(said, self.shown)

    def test_before_is_how_the_model_does(self):
        first = int(re.search(r"tail -c \+(\d+)", read(ROOT / "tools" / "demo")).group(1))
        with tempfile.TemporaryDirectory() as name:
            held_out = pathlib.Path(name) / "held-out.txt"
            held_out.write_bytes((ROOT / "assets" / "tinyshakespeare.txt").read_bytes()[first - 1:])
            found = self.hearth("evaluate", "--model", ROOT / "assets" / "prose-14m", "--data", held_out)
        self.assertIn(found, self.shown)

    def test_after_is_what_the_demo_said(self):
        after = BUILD / "demo" / "after.txt"
        if not after.is_file():
            self.skipTest("SKIP the demo has not been run here")
        self.assertIn(read(after).strip("\n"), self.shown)


if __name__ == "__main__":
    if sys.argv[1:] == ["--record-demo"]:
        record_demo(sys.stdin.read())
    else:
        unittest.main()
