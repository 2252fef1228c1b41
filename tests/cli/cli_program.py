# SPDX-License-Identifier: Apache-2.0
"""What the command-line tests share: a tiny model, a text, and what a refusal must look like."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
import hearth_program as hearth  # noqa: E402

sys.path.insert(0, str(hearth.ROOT / "bench"))
import make_model  # noqa: E402


def find_key(value, name):
    """The value of a key at any depth, - and _ alike; None without it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.replace("-", "_") == name.replace("-", "_"):
                return inner
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            found = find_key(inner, name)
            if found is not None:
                return found
    return None


class CliTest(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = hearth.text_file(cls.folder, 3000)
        cls.tiny = cls.folder / "tiny"
        make_model.make("tiny", cls.tiny, "f32")

    def copy_of(self, model, name):
        return pathlib.Path(shutil.copytree(model, self.folder / name))

    def finetune_words(self, output, *extra, model=None):
        return ("finetune", "--model", model or self.tiny, "--data", self.data, "--output", output, "--block-size", 32,
                "--batch-size", 2, "--max-steps", 2, *extra)

    def refused(self, words, *expected, usage=False):
        """Bad use: an exit code of 1 (2 where the words themselves are wrong), nothing on stdout, a short error."""
        done = hearth.run(*words)
        self.assertIn(done.returncode, (1, 2) if usage else (1,), done.stderr + done.stdout[:200])
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, rf"^error: {words[0]}: \S")
        self.assertLessEqual(len(done.stderr.strip().splitlines()), 8, done.stderr)
        for word in expected:
            self.assertIn(str(word), done.stderr)
        return done.stderr
