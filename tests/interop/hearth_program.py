# SPDX-License-Identifier: Apache-2.0
"""What the interop and command-line tests share: running the program, and the same sums with the real libraries.

HEARTH is the path of the program, HEARTH_SOURCE_DIR the root of the repository; both have defaults.
"""
import copy
import functools
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

ROOT = pathlib.Path(os.environ.get("HEARTH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
HEARTH = pathlib.Path(os.environ.get("HEARTH", ROOT / "build" / "hearth"))
PROSE = ROOT / "assets" / "prose-14m"
TEXT = ROOT / "assets" / "tinyshakespeare.txt"
REFERENCE = ROOT / "tests" / "assets" / "reference"
LIMIT_S = 600


def need_program():
    """For setUpModule: one clear failure instead of one for each test."""
    if not HEARTH.is_file() or not os.access(HEARTH, os.X_OK):
        raise AssertionError(f"no program at {HEARTH}: run make build, or set HEARTH to its path")


def command(*words):
    return [str(HEARTH), *(str(word) for word in words)]


def run(*words, limit_s=LIMIT_S, environment=None):
    """Runs hearth and returns it with returncode, stdout, stderr; whatever the exit code is."""
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=limit_s,
                          env=os.environ | (environment or {}))


def succeed(*words, **options):
    """Runs hearth, which must end with 0; returns its stdout."""
    done = run(*words, **options)
    if done.returncode != 0:
        said = f"exit code {done.returncode}: {done.stderr.strip()}"
        raise AssertionError(f"hearth {' '.join(str(w) for w in words)}\n{said}")
    return done.stdout


def succeed_json(*words, **options):
    """The same with --json: the last line of stdout that is JSON, or all of it."""
    out = succeed(*words, "--json", **options)
    for text in (out, *reversed(out.strip().splitlines())):
        try:
            return json.loads(text)
        except ValueError:
            continue
    raise AssertionError(f"hearth {words[0]} --json printed no JSON: {out[:300]!r}")


@functools.cache
def full_precision(name):
    """--dtype f32 for commands that have this flag: the sums below are in f32."""
    return ("--dtype", "f32") if "--dtype" in succeed(name, "--help") else ()


def optional(flag, value):
    return (flag, value) if value is not None else ()


def evaluate(model, data, adapter=None, block=256):
    return succeed_json("evaluate", "--model", model, *optional("--adapter", adapter), "--data", data, "--block-size",
                        block,
                        *full_precision("evaluate"))


def greedy(model, prompt, tokens, adapter=None):
    """What hearth writes after prompt: (ids, or None if it does not print them; text without the prompt)."""
    result = succeed_json("generate", "--model", model, *optional("--adapter", adapter), "--prompt", prompt,
                          "--max-tokens",
                          tokens, "--temperature", 0, *full_precision("generate"))
    return result.get("token_ids"), result["text"].removeprefix(prompt)


def read_log(folder):
    """The records of log.jsonl; a line that is not JSON is an error."""
    return [json.loads(line) for line in (pathlib.Path(folder) / "log.jsonl").read_text().splitlines()]


def step_records(folder):
    return [record for record in read_log(folder) if "loss" in record]


def text_file(folder, chars, start=0, name="text.txt"):
    """A file with chars characters of tiny Shakespeare from start on; None takes the rest."""
    path = pathlib.Path(folder) / name
    with open(TEXT, encoding="utf-8", newline="") as source, open(path, "w", encoding="utf-8", newline="") as out:
        out.write(source.read()[start:None if chars is None else start + chars])
    return path


def tokenizer(folder):
    from tokenizers import Tokenizer
    return Tokenizer.from_file(str(pathlib.Path(folder) / "tokenizer.json"))


def blocks(folder, data, block):
    """[bos] + encode(text), cut in blocks of one stream, tail dropped: [n,block]."""
    import torch
    with open(data, encoding="utf-8", newline="") as source:
        ids = [1] + tokenizer(folder).encode(source.read(), add_special_tokens=False).ids
    n = len(ids) // block
    return torch.tensor(ids[:n * block]).view(n, block)


def training_blocks(folder, base, chars, block, count):
    """(rows, file): the first `count` blocks of a text of `chars` characters, and the text that holds just them: it ends
    in the middle of the next block."""
    text = text_file(folder, chars)
    rows = blocks(base, text, block)[:count]
    whole = tokenizer(base).encode(text.read_text(encoding="utf-8"), add_special_tokens=False)
    return rows, text_file(folder, whole.offsets[len(rows) * block + block // 2][0], name="train.txt")


def load(folder, dtype="float32", **options):
    """A model by transformers, ready to infer; a copy of the one in memory where it was loaded before."""
    if pathlib.Path(folder) == PROSE and not options:
        return copy.deepcopy(load_prose(dtype))
    return load_fresh(folder, dtype, **options)


@functools.cache
def load_prose(dtype):
    return load_fresh(PROSE, dtype)


def load_fresh(folder, dtype, **options):
    import torch
    import transformers
    torch.set_num_threads(1)  # the machine is shared: two threads that wait for each other take longer
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    result = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), **options)
    (result[0] if isinstance(result, tuple) else result).eval()
    return result


def torch_loss(model, rows):
    """Mean cross-entropy over all targets of rows [n,block], blocks summed in f64."""
    import torch
    total = 0.0
    with torch.inference_mode():
        for part in rows.split(8):
            total += float(model(input_ids=part, labels=part).loss.double()) * len(part)
    return total / len(rows)


def torch_greedy(model, folder, prompt, tokens):
    """(ids, text) that model.generate adds to prompt, without sampling."""
    import torch
    words = tokenizer(folder)
    ids = words.encode(prompt).ids
    with torch.inference_mode():
        out = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                             do_sample=False,
                             max_new_tokens=tokens, pad_token_id=0)[0].tolist()
    return out[len(ids):], words.decode(out).removeprefix(prompt)


class HearthTest(unittest.TestCase):
    """A test with a folder of its own, and the comparisons that several files need."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="hearth-test-")
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        warnings.simplefilter("ignore")

    def assert_close(self, ours, theirs, relative, what):
        self.assertLessEqual(abs(ours - theirs), relative * abs(theirs),
                             f"{what}: ours {ours!r}, theirs {theirs!r}, off by {abs(ours / theirs - 1):.1e}")

    def assert_same_greedy(self, ours, theirs, what):
        """Ids where the program prints them (an end token may be left out), and the text."""
        ids, text = ours
        if ids is not None:
            self.assertEqual([i for i in ids if i != 2], [i for i in theirs[0] if i != 2], what)
        self.assertEqual(text, theirs[1], what)

    def assert_refused(self, done, command_name, *words):
        """Exit code 1, nothing on stdout, and an error on stderr that has all the words."""
        said = f"exit code {done.returncode}; stderr: {done.stderr}; stdout: {done.stdout[:300]}"
        self.assertEqual(done.returncode, 1, said)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith(f"error: {command_name}:"), done.stderr)
        for word in words:
            self.assertIn(str(word), done.stderr)
