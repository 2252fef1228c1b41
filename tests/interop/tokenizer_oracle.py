# SPDX-License-Identifier: Apache-2.0
"""What the tokenizer tests share: generated strings, Hearth's answers, and their comparison with the real library's."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

os.environ["RUST_BACKTRACE"] = "0"  # its panics are expected where decoded() says so
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STRINGS = int(os.environ.get("HEARTH_TOKENIZER_STRINGS", "3000"))  # per kind of tokenizer
if "--long" in sys.argv:
    sys.argv.remove("--long")
    STRINGS = 100_000


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


# ---- strings ----------------------------------------------------------------------------------------------------------

SPECIAL = ["<s>", "</s>", "<unk>", "<0x0A>", "<0xE2>", "<|begin|>", "<|end|>", "<s", "s>", "<<s>>", "▁", "▁▁", "<tool>"]
SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\r", "\n\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\x85", "\u180e", "\u2028"]
MARKS = ["e\u0301", "a\u0308\u0323", "\u0301", "q\u0307\u0323", "\u1100\u1161\u11a8", "한", "ß", "ŉ", "ſ", "K", "İ", "\u212b", "ﬁ"]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "❤️", "👍🏽", "🇩🇪", "\U0001f9ff", "☃"]
SCRIPTS = ["日本語のテキスト", "中文字符", "한국어", "العربية", "עברית", "हिन्दी", "ไทย", "Ελληνικά", "Привет мир", "ქართული", "𝔘𝔫𝔦", "𐍈"]
CODE = ["for (int i = 0; i < n; ++i) {\n    x[i] += 1;\n}", "def f(x):\n\treturn x**2  # ok", "https://a.b/c?d=e&f=%20", "{\"k\": [1, 2.5e-3]}"]
WORDS = ["I'm", "we'LL", "don't", "o'clock", "'S", "'ſ", "hello", "Hello", "WORLD", "antidisestablishmentarianism", "x", "tool", "a_b"]


def any_character(rng):
    while True:
        code = rng.choice([rng.randrange(128), rng.randrange(0x800), rng.randrange(0x10000), rng.randrange(0x110000)])
        if not 0xD800 <= code <= 0xDFFF:
            return chr(code)


def generate(rng, prose, extra):
    kinds = [
        lambda: rng.choice(SPECIAL + extra),
        lambda: rng.choice(SPACES) * rng.randrange(1, 5),
        lambda: rng.choice(MARKS),
        lambda: rng.choice(EMOJI),
        lambda: rng.choice(SCRIPTS),
        lambda: rng.choice(CODE),
        lambda: rng.choice(WORDS),
        lambda: str(rng.randrange(10 ** rng.randrange(1, 12))),
        lambda: "".join(any_character(rng) for _ in range(rng.randrange(1, 6))),
        lambda: "".join(rng.choice("abcdefgh<>▁ ") for _ in range(rng.randrange(1, 80))),
        lambda: rng.choice("aA0 -=<▁") * rng.randrange(1, 70),
    ]
    shape = rng.randrange(10)
    if shape == 0:
        return "" if rng.random() < 0.1 else rng.choice(kinds)()
    if shape < 4:
        start = rng.randrange(len(prose))
        return prose[start : start + rng.randrange(400)]
    parts = [rng.choice(kinds)() for _ in range(rng.randrange(1, 12))]
    return rng.choice(["", "", " ", "\n"]).join(parts)


def strings(seed, count, extra=()):
    rng = random.Random(seed)
    prose = read(os.path.join(ROOT, "assets", "tinyshakespeare.txt"))[:200000]
    fixed = ["", " ", "  ", "\n", " a", "a ", "<s>", "<s><s>", " <s> ", "a<s>b", "▁", "▁a", " ▁", "é", "\u0301", "\x00", "\ufffd"]
    return (fixed + [generate(rng, prose, list(extra)) for _ in range(count)])[:count]


# ---- Hearth -----------------------------------------------------------------------------------------------------------


def hearth(path, lines):
    tool = os.path.join(os.environ["HEARTH_BUILD"], "hearth_tokenize")
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([tool, path], input=text, capture_output=True, text=True, encoding="utf-8")
    answers = done.stdout.split("\n")[:-1]
    if done.returncode or len(answers) != len(lines):
        raise AssertionError(f"hearth_tokenize failed on line {len(answers)} of {len(lines)}: {done.stderr}{answers[-1:]}")
    return [json.loads(answer) for answer in answers]


class TokenizerCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def folder(self, name, files):
        path = os.path.join(self.dir, name)
        os.makedirs(path)
        for file, content in files.items():
            if isinstance(content, str) and os.path.isfile(content):
                shutil.copy(content, os.path.join(path, file))
            else:
                with open(os.path.join(path, file), "w", encoding="utf-8") as out:
                    json.dump(content, out, ensure_ascii=False)
        return path

    def save(self, name, tokenizer):
        path = os.path.join(self.dir, name)
        tokenizer.save(path)
        return path

    def compare(self, path, real, texts, seed=0):
        """real: a tokenizers.Tokenizer. Encodes and decodes in all combinations of options."""
        rng = random.Random(seed)
        size = max(real.get_vocab(with_added_tokens=True).values()) + 1
        lines, wanted = [], []
        for i, text in enumerate(texts):
            add, parse, skip = (True, True, True) if i % 2 else (rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.5)
            real.encode_special_tokens = not parse
            try:
                ids = real.encode(text, add_special_tokens=add).ids
                decoded = self.decoded(real, ids, skip)
            except BaseException as error:  # its Rust code panics where an rstrip token meets one that begins with a space
                if "AddedVocabulary bad split" not in str(error):
                    raise
                continue
            if decoded is not None:
                lines.append({"text": text, "add_special": add, "parse_special": parse, "skip_special": skip})
                wanted.append({"ids": ids, "decoded": decoded})
            if i % 4 == 0:  # ids that no text gives
                ids = [rng.randrange(rng.choice([size + 5, min(size, 300)])) for _ in range(rng.randrange(12))]
                decoded = self.decoded(real, ids, skip)
                if decoded is not None:
                    lines.append({"ids": ids, "skip_special": skip})
                    wanted.append({"ids": ids, "decoded": decoded})
        real.encode_special_tokens = False
        got = hearth(path, lines)
        wrong = [(line, w, g) for line, w, g in zip(lines, wanted, got) if w != g]
        self.assertEqual(len(wrong), 0, "first of %d: line %s\nreal   %s\nhearth %s" % (len(wrong), *wrong[0]) if wrong else "")
        self.assertGreater(len(lines), len(texts) // 2)
        print(f"{self._testMethodName}: {len(lines)} strings and id lists equal", flush=True)

    def decoded(self, real, ids, skip):
        """None where its Rust code panics: decoder Strip on a token shorter than its stop, BPEDecoder on no token."""
        try:
            return real.decode(ids, skip_special_tokens=skip)
        except BaseException as error:
            if "index out of bounds" in str(error) or "subtract with overflow" in str(error) or "slice index" in str(error):
                return None
            raise
