#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opening and saving a model folder of 2 GB, beside cp of the same files.

  bench/files.py [--rounds N] [--folder DIR] [--prefix 'chrt -f 20']      prints a Markdown table; needs 15 GB of disk

Opening: from the start of `hearth generate` to its exit behind one token, with the folder's pages in memory; and `hearth
info`, which compiles six jobs to tell their memory. Saving: `hearth convert`, which writes the folder, reads all of it
back, compares it, and returns when the disk has it; beside `cp -r` of the bytes that it wrote and `sync` of each of the
files. Both read files that are in memory, write to a new name on the same disk, and begin when nothing is left to write.
In turns; medians, and the median of the turns' ratios (more than 1 is for us).
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import make_model
from limits import ROOT, hardware

GOAL_OPEN_S, GOAL_SAVE = 0.2, 0.8
OPENS = [("open 2.2 GB and write one token", ["generate", "--quiet", "--prompt", "a", "--max-tokens", "1", "--dtype", "bf16", "--model"]),
         ("info of 2.2 GB", ["info"])]
# What is written, the flags for it, and the type of the folder that is read. 2.2 GB are written each time.
SAVES = [("as it is", [], "bf16"), ("in shards of 500 MB", ["--max-shard-size", "500MB"], "bf16"),
         (".bin", ["--format", "bin"], "bf16"), ("bf16 to f16", ["--dtype", "f16"], "bf16"),
         ("f32 to bf16", ["--dtype", "bf16"], "f32")]


def seconds(words):
    begin = time.perf_counter()
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def warm(folder):
    for path in folder.iterdir():
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 24):
                pass


def save_row(args, name, flags, source, scratch):
    ours, theirs = [], []
    written, copied = scratch / "written", scratch / "copied"
    convert = [*args.prefix.split(), args.hearth, "convert", "--model", source, "--output", written, "--quiet", *flags]
    seconds(convert)
    kept = scratch / "kept"
    written.rename(kept)
    copy = [*args.prefix.split(), "sh", "-c", 'cp -r "$0" "$1" && sync "$1"/* "$1"', kept, copied]
    for _ in range(args.rounds):
        for words, out, times in ((convert, written, ours), (copy, copied, theirs)):
            warm(source)
            warm(kept)
            os.sync()
            times.append(seconds(words))
            shutil.rmtree(out)
    shutil.rmtree(kept)
    ratio = statistics.median(b / a for a, b in zip(ours, theirs))
    print(f"| save, {name} | {statistics.median(ours):.2f} s | {statistics.median(theirs):.2f} s, cp and sync | {ratio:.2f}x "
          f"(goal: {GOAL_SAVE}) |", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Opening and saving a folder of 2 GB.")
    parser.add_argument("--hearth", default=ROOT / "build" / "hearth", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="where the files are made; default: the temporary folder")
    parser.add_argument("--prefix", default="", help="words before each command, such as 'chrt -f 20'")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        scratch = pathlib.Path(name)
        folders = {dtype: scratch / dtype for dtype in ("bf16", "f32")}
        for dtype, folder in folders.items():
            make_model.make("tinyllama-1.1b", folder, dtype)
        print(f"{hardware()}; medians of {args.rounds}\n\n| row | ours | peer | ratio |\n| --- | --- | --- | --- |")
        warm(folders["bf16"])
        for row, words in OPENS:
            times = [seconds([*args.prefix.split(), args.hearth, *words, folders["bf16"]]) for _ in range(args.rounds)]
            print(f"| {row}, warm | {statistics.median(times):.3f} s | - | - (goal: {GOAL_OPEN_S} s) |", flush=True)
        for save, flags, dtype in SAVES:
            save_row(args, save, flags, folders[dtype], scratch)


if __name__ == "__main__":
    sys.exit(main())
