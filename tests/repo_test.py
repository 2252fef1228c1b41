#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The repository as a stranger finds it: the first screen, the licence, its size, the set-up, the order of the layers, and
that another project can use the installed library."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("HEARTH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[1]))
FIRST_SCREEN = 30  # lines
MOST_TREE_BYTES, MOST_FILE_BYTES = 60 << 20, 16 << 20

CONSUMER_CMAKE = """cmake_minimum_required(VERSION 3.22)
project(consumer CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(hearth REQUIRED)
add_executable(consumer main.cc)
target_link_libraries(consumer PRIVATE hearth::hearth_runtime)
"""
CONSUMER_CODE = """#include <iostream>
#include "base/error.h"
#include "plan/plan_file.h"
#include "runtime/session.h"
int main(int, char** argv) {
  try {
    hearth::Session session(hearth::load_plan(argv[1]));
  } catch (const hearth::Error& error) {
    std::cout << error.what() << "\\n";
  }
}
"""


def tree():
    """Files that git has or would take."""
    words = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(words, capture_output=True, check=True)
    paths = [ROOT / os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


class Front(unittest.TestCase):
    def test_first_screen_has_two_commands(self):
        screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:FIRST_SCREEN]
        for command in ("make demo", "make test"):
            self.assertTrue(any(line.strip().startswith(command) for line in screen), f"README's first screen lacks {command}")
        self.assertTrue(any("demo:begin" in line for line in screen), "README's first screen lacks the demo's output")

    def test_licence(self):
        text = (ROOT / "LICENSE").read_text(encoding="utf-8")
        self.assertIn("Apache License", text)
        self.assertIn("Version 2.0", text)

    def test_ci_runs_the_tests(self):
        self.assertIn("make test", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
        self.assertTrue(os.access(ROOT / ".ci" / "run", os.X_OK))

    def test_scripts_are_executable(self):
        for path in (ROOT / "tools").iterdir():
            if path.is_file() and path.read_bytes().startswith(b"#!"):
                self.assertTrue(os.access(path, os.X_OK), f"{path.name} is not executable")

    def test_setup_names_its_packages(self):
        text = (ROOT / "tools" / "setup").read_text(encoding="utf-8")
        packages = re.search(r"packages=\(([^)]*)\)", text)
        self.assertIsNotNone(packages)
        names = packages.group(1).split()
        for needed in ("g++", "cmake", "ninja-build", "nlohmann-json3-dev", "libfmt-dev", "libpcre2-dev", "libgtest-dev",
                       "clang-format"):
            self.assertIn(needed, names)


@unittest.skipUnless(shutil.which("git") and (ROOT / ".git").exists(), "SKIP not a git checkout")
class Size(unittest.TestCase):
    def test_tree_and_files_are_small(self):
        sizes = {path: path.stat().st_size for path in tree()}
        self.assertGreater(len(sizes), 100)
        self.assertLess(sum(sizes.values()), MOST_TREE_BYTES)
        for path, size in sizes.items():
            self.assertLessEqual(size, MOST_FILE_BYTES, path)


class Layers(unittest.TestCase):
    def check(self, source):
        words = [sys.executable, ROOT / "tools" / "check_layers.py", source]
        return subprocess.run(words, capture_output=True, text=True, timeout=120)

    def test_the_order_holds(self):
        done = self.check(ROOT / "src")
        print(done.stdout, file=sys.stderr)  # the tail of long files and functions, seen in every run
        self.assertEqual(done.returncode, 0, done.stdout[done.stdout.find("violations") - 10:])

    def test_each_rule_is_checked(self):
        good = {"base/a.h": "", "ir/g.h": '#include "base/a.h"\n', "ops/op/op.h": '#include "ir/g.h"\n',
                "ops/op/op.cc": '#include "ops/op/op.h"\n', "ops/op/op_kernels.cc": '#include "base/a.h"\n',
                "train/t.h": '#include "ops/op/op.h"\n', "base/a_test.cc": '#include "train/t.h"\n'}
        bad = {"base/b.cc": ("ir/g.h", "base may include"),
               "plan/p.h": ("ir/g.h", "plan may include"),
               "ops/op/fast.cc": ("ops/op/op.h", "reaches ir/g.h (through ops/op/op.h)"),
               "runtime/session.cc": ("ops/op/op.h", "reaches ir/g.h"),
               "io/file.h": ("train/t.h", "io may include"),
               "base/c.cc": ("a.h", "no file of src/"),
               "new/n.cc": ("base/a.h", "is in no layer"),
               "base/d.cc": ("base/e_test.h", "part of the tests")}
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)

            def write(path, text):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, encoding="utf-8")

            for path, text in good.items():
                write(path, text)
            write("base/e_test.h", "")
            self.assertEqual(self.check(folder).returncode, 0, self.check(folder).stdout)
            for path, (include, message) in bad.items():
                with self.subTest(path=path):
                    write(path, f'// first line\n#include "{include}"\n')
                    done = self.check(folder)
                    self.assertEqual(done.returncode, 1)
                    self.assertRegex(done.stdout, rf"src/{re.escape(path)}:[12]: .*{re.escape(message)}")
                    (folder / path).unlink()


class Install(unittest.TestCase):
    """A project of its own finds the installed library, builds against it, and runs."""

    def run_words(self, *words):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=900)
        self.assertEqual(done.returncode, 0, f"{words[0]} {words[1]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def test_find_package(self):
        build = os.environ.get("HEARTH_BUILD")
        if not build or not (pathlib.Path(build) / "cmake_install.cmake").is_file():
            self.skipTest("SKIP HEARTH_BUILD names no build folder")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            self.run_words("cmake", "--install", build, "--prefix", folder / "prefix")
            (folder / "app").mkdir()
            (folder / "app" / "CMakeLists.txt").write_text(CONSUMER_CMAKE, encoding="utf-8")
            (folder / "app" / "main.cc").write_text(CONSUMER_CODE, encoding="utf-8")
            self.run_words("cmake", "-S", folder / "app", "-B", folder / "out", f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}")
            self.run_words("cmake", "--build", folder / "out")
            done = self.run_words(folder / "out" / "consumer", folder / "no.plan")
            self.assertIn("no.plan", done.stdout)
            headers = {path.name for path in (folder / "prefix" / "include" / "hearth").rglob("*.h")}
            self.assertIn("session.h", headers)


if __name__ == "__main__":
    unittest.main()
