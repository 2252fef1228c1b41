#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rows of the array library beside NumPy, PyTorch eager, torch.compile and JAX, in one go. See bench/README.md.

  bench/arrays.py                              all rows
  bench/arrays.py --quick                      about 50 rows, one round
  bench/arrays.py --rows 'softmax,matmul-*'    patterns with commas between
  bench/arrays.py --markdown                   also the table for BENCHMARKS.md

Writes its rows into build/bench.json, beside those of bench/run.py.
"""
import argparse
import collections
import datetime
import fnmatch
import json
import math
import pathlib
import shlex
import statistics
import subprocess
import sys
import threading

import run  # starts again with the Python that has the peers
import limits
from array_rows import ROWS, peers_of

NAMES = {"numpy": "NumPy", "torch": "PyTorch eager", "compile": "torch.compile", "jax": "JAX"}


def parse():
    parser = argparse.ArgumentParser(description="Measure the array library beside its peers.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rows", default="*", help="names or patterns with commas between")
    parser.add_argument("--quick", action="store_true", help="a small choice of rows, one round")
    parser.add_argument("--peers", default=",".join(NAMES), help="libraries with commas between")
    parser.add_argument("--threads", type=int, default=len(limits.one_cpu_per_core_first()),
                        help="of ours and of the peers")
    parser.add_argument("--rounds", type=int, help="how often ours and the peers take turns (3; with --quick 1)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of one measurement, at least three calls")
    parser.add_argument("--limit", type=float, default=120, help="seconds for one measurement, compilation included")
    parser.add_argument("--isa", choices=("native", "avx2"), default="native", help="avx2 holds both sides to AVX2")
    parser.add_argument("--prefix", default="", help="command before each side's, for instance 'chrt -f 20'")
    parser.add_argument("--program", type=pathlib.Path, default=limits.ROOT / "build" / "array_bench")
    parser.add_argument("--output", type=pathlib.Path, default=limits.ROOT / "build" / "bench.json")
    parser.add_argument("--markdown", action="store_true", help="print the table for BENCHMARKS.md too")
    args = parser.parse_args()
    args.rounds = args.rounds or (1 if args.quick else 3)
    return args


class Side:
    """A process that measures rows when it is told to."""

    def __init__(self, name, command, args):
        self.name, self.limit_s = name, args.limit
        self.command = [*shlex.split(args.prefix), *map(str, command)]
        self.environment, self.threads, self.process = run.environment_for(args), args.threads, None

    def start(self):
        self.process = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        preexec_fn=limits.pin_to(self.threads))

    def measure(self, row, seconds):
        """Median of a call; RuntimeError with the reason when there is none."""
        if self.process is None:
            self.start()
        watch = threading.Timer(self.limit_s, self.process.kill)
        watch.start()
        try:
            self.process.stdin.write(f"{row.name} {seconds}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watch.cancel()
        if not line:
            code = self.process.wait()
            self.process = None
            raise RuntimeError(f"not done in {self.limit_s:.0f} s" if code == -9 else f"ended with exit code {code}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def measure_row(row, sides, args):
    """Takes turns between ours and the peers; returns the row's entry for bench.json."""
    found, failures = collections.defaultdict(list), {}
    for _ in range(args.rounds):
        for name in ("ours", *(p for p in peers_of(row) if p in sides)):
            if name in failures:
                continue
            try:
                value = sides[name].measure(row, args.seconds)
                found[name].append(value)
            except RuntimeError as error:
                failures[name] = str(error)
    medians = {name: statistics.median(values) for name, values in found.items()}
    peers = {NAMES[name]: value for name, value in medians.items() if name != "ours"}
    best = min(peers, key=peers.get) if peers else None
    entry = {"row": f"array:{row.name}", "title": row.title, "group": row.group, "ours": medians.get("ours"),
             "peer": peers.get(best), "peer_name": best, "unit": row.unit, "ratio": None, "wanted": row.wanted,
             "goal": row.goal or None, "flops": row.flops or None, "share_of_limit": None, "peers": peers,
             "failures": failures}
    if best and "ours" in medians:  # of the turns, so that what slows the machine slows both
        pairs = zip(found["ours"], found[next(k for k, v in NAMES.items() if v == best)])
        entry["ratio"] = statistics.median(theirs / ours for ours, theirs in pairs)
    return entry


def shown(value, entry):
    if value is None:
        return "-"
    if entry["flops"]:
        return f"{entry['flops'] / value * 1e-9:.4g} GFLOP/s"
    if entry["unit"] != "s":
        return f"{value:.4g} {entry['unit']}"
    scale, unit = next((s, u) for s, u in ((1, "s"), (1e-3, "ms"), (1e-6, "us")) if value >= s or u == "us")
    return f"{value / scale:.3g} {unit}"


def cells(entry):
    """The words of one table line."""
    others = ", ".join(f"{n} {shown(v, entry)}" for n, v in entry["peers"].items() if n != entry["peer_name"])
    theirs = f"{shown(entry['peer'], entry)}, {entry['peer_name']}" if entry["peer_name"] else "-"
    if entry["goal"]:
        theirs += f" (goal: at most {shown(entry['goal'], entry)})"
    ours = shown(entry["ours"], entry) if entry["ours"] is not None else "failed: " + entry["failures"].get("ours", "?")
    return [entry["title"], ours, theirs, f"{entry['ratio']:.2f}x" if entry["ratio"] else "-", others or "-"]


HEAD = ["row", "ours", "best peer", "ratio", "others"]


def group_means(entries):
    """[(group, geometric mean of the ratios, count)]"""
    groups = collections.defaultdict(list)
    for entry in entries:
        if entry["ratio"]:
            groups[entry["group"]].append(entry["ratio"])
    return [(g, math.exp(statistics.fmean(map(math.log, r))), len(r)) for g, r in groups.items()]


def write(entries, output):
    """Into the file, in place of the rows of these names that it has."""
    try:
        before = json.loads(output.read_text())
    except (OSError, ValueError):
        before = []
    names = {entry["row"] for entry in entries}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps([e for e in before if e["row"] not in names] + entries, indent=2) + "\n")


def print_markdown(entries, args):
    command = shlex.join(["bench/arrays.py", *sys.argv[1:]])
    print(f"\n{limits.hardware()}, {args.threads} threads, {args.isa} instructions, {datetime.date.today()};",
          f"`{command}`\n\n| " + " | ".join(HEAD) + " |\n|" + " --- |" * len(HEAD))
    for entry in entries:
        print("| " + " | ".join(cells(entry)) + " |")
    print("\nGeometric means of the ratios: " + "; ".join(f"{g} {mean:.2f} ({n})" for g, mean, n in group_means(entries)))


def main():
    args = parse()
    patterns = args.rows.split(",")
    wanted = [r for r in ROWS if any(fnmatch.fnmatch(r.name, p) for p in patterns) and (r.quick or not args.quick)]
    if not wanted:
        print(f"error: bench: no row fits '{args.rows}'", file=sys.stderr)
        return 2
    script = limits.BENCH / "peers" / "array_peers.py"
    sides = {"ours": Side("ours", [args.program], args)}
    for name in args.peers.split(","):
        sides[name] = Side(name, [sys.executable, script, name, "--threads", args.threads], args)
    entries = []
    try:
        for row in wanted:
            entries.append(measure_row(row, sides, args))
            run.progress("  ".join(cells(entries[-1])))
    finally:
        for side in sides.values():
            side.stop()
        write(entries, args.output)
    for group, mean, count in group_means(entries):
        print(f"{group}: {mean:.2f} (geometric mean of {count})")
    if args.markdown:
        print_markdown(entries, args)
    failed = [e["row"] for e in entries if e["ours"] is None]
    if failed:
        print(f"error: bench: {len(failed)} of {len(entries)} rows failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
