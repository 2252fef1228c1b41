# SPDX-License-Identifier: Apache-2.0
"""Hearth's tokenizer beside the tokenizers library: one thread each, the same files, the same texts, the same ids.

    HEARTH_BUILD=build ~/.cache/hearth/venv/bin/python bench/tokenizer_speed.py [tokenizer.json ...]

Without files: one tokenizer of each kind, trained here. Texts: tiny Shakespeare and a multilingual one, each as a whole
and line by line. The ratio is the library's time over Hearth's; the library's is the best of three.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path = [os.path.join(ROOT, "tests", "interop"), *sys.path[1:]]  # not this folder: it would hide the library's name

from tokenizer_kinds_test import PATTERNS, PROSE, TokenizerKinds, bytes_behind, chars_of, metaspace, split
from tokenizer_oracle import read, strings
from tokenizers import Tokenizer, normalizers, pre_tokenizers


def kinds(folder):
    """Files of one tokenizer of each kind."""
    make = TokenizerKinds()
    make.setUpClass()
    unigram = json.loads(make.unigram(normalizers.NFKC(), metaspace()).to_str())
    unigram["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": chars_of()}
    made = {
        "gpt2": make.byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False)),
        "llama3": make.byte_level(bytes_behind(split(PATTERNS["llama3"])), ignore_merges=True),
        "o200k": make.byte_level(bytes_behind(split(PATTERNS["o200k"]))),
        "qwen2": make.byte_level(bytes_behind(split(PATTERNS["qwen2"])), normalizers.NFC()),
        "bert": make.bert(),
        "t5": Tokenizer.from_str(json.dumps(unigram)),
        "t5_uncut": Tokenizer.from_str(json.dumps(dict(unigram, pre_tokenizer=None))),
    }
    for name, tokenizer in made.items():
        tokenizer.save(os.path.join(folder, name + ".json"))
    make.tearDownClass()
    return [("llama2", PROSE)] + [(name, os.path.join(folder, name + ".json")) for name in made]


def best_of_three(work):
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def row(name, file, text_name, text_file):
    text = read(text_file)
    lines = text.split("\n")
    real = Tokenizer.from_file(file)
    tool = os.path.join(os.environ["HEARTH_BUILD"], "hearth_tokenize")
    ours = json.loads(subprocess.run([tool, file, text_file], capture_output=True, check=True).stdout)
    assert ours["ids"] == len(real.encode(text).ids), (name, text_name)
    whole, by_line = best_of_three(lambda: real.encode(text)), best_of_three(lambda: [real.encode(line) for line in lines])
    rate = len(text.encode()) / 1e6 / ours["whole"]
    print(f"| {name:9} | {text_name:12} | {ours['whole']:.4f} s, {rate:5.1f} MB/s | {whole:.4f} s | {whole / ours['whole']:5.1f} "
          f"| {ours['lines']:.4f} s | {by_line:.4f} s | {by_line / ours['lines']:5.1f} |", flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        multilingual = os.path.join(folder, "multilingual.txt")
        with open(multilingual, "w", encoding="utf-8", newline="") as out:
            out.write("".join(strings(123, 8000)))
        files = [(os.path.basename(file), file) for file in sys.argv[1:]] or kinds(folder)
        print("| kind | text | hearth | library | ratio | hearth, lines | library, lines | ratio |\n|---|---|---|---|---|---|---|---|")
        for name, file in files:
            row(name, file, "shakespeare", os.path.join(ROOT, "assets", "tinyshakespeare.txt"))
            row(name, file, "multilingual", multilingual)


if __name__ == "__main__":
    main()
