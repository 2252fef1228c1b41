#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: Hearth beside PyTorch + transformers + PEFT on this machine, in one go. See bench/README.md.

  bench/run.py                                  all rows
  bench/run.py --rows lora-f32,decode --quick   two rows, one round of few steps
  bench/run.py --markdown                       also the table for BENCHMARKS.md

Writes build/bench.json. A row that cannot be measured says why; the exit code is then 1.
"""
import argparse
import dataclasses
import datetime
import importlib.util
import json
import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def enter_environment():
    """Starts again with the Python that has the peers, if this one has not."""
    python = pathlib.Path(os.environ.get("HEARTH_VENV", pathlib.Path.home() / ".cache/hearth/venv")) / "bin" / "python"
    if importlib.util.find_spec("torch") is None and python.exists() and "HEARTH_BENCH_INSIDE" not in os.environ:
        os.execve(python, [str(python), *sys.argv], os.environ | {"HEARTH_BENCH_INSIDE": "1"})


enter_environment()
import limits  # noqa: E402
import rows  # noqa: E402


@dataclasses.dataclass
class Setup:
    program: pathlib.Path
    python: str
    environment: dict
    threads: int
    steps: int
    rounds: int
    limit_s: float
    skip_compiled: bool


def parse():
    parser = argparse.ArgumentParser(description="Measure Hearth beside its peers.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    names = [row.name for row in rows.ROWS]
    parser.add_argument("--rows", default=",".join(names), help="names with commas between")
    parser.add_argument("--quick", action="store_true", help="one round, two timed steps, no torch.compile")
    parser.add_argument("--eager-only", action="store_true", help="no torch.compile")
    parser.add_argument("--skip-slow", action="store_true", help="without the large training rows")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of ours and of the peers")
    parser.add_argument("--steps", type=int, default=5, help="timed steps of a measurement")
    parser.add_argument("--rounds", type=int, default=3, help="how often ours and the peers take turns")
    parser.add_argument("--limit", type=float, default=400, help="seconds for one measurement")
    parser.add_argument("--isa", choices=("native", "avx2"), default="native", help="avx2 holds both sides to AVX2")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build" / "hearth")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "bench.json")
    parser.add_argument("--markdown", action="store_true", help="print the table for BENCHMARKS.md too")
    args = parser.parse_args()
    unknown = set(args.rows.split(",")) - set(names)
    if unknown:
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return args


def environment_for(args):
    """One environment for both sides: threads, and the instruction set where one is forced."""
    threads = str(args.threads)
    env = os.environ | {"HEARTH_THREADS": threads, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    # torch.compile finds code that it made for other instructions in its cache, and that code fails.
    env["TORCHINDUCTOR_CACHE_DIR"] = str(ROOT / "build" / f"torchinductor-{args.isa}")
    if args.isa == "avx2":
        env |= {"HEARTH_ISA": "avx2", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2",
                "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
    return env


def progress(text):
    print(text, file=sys.stderr, flush=True)


def take(name, measure, found, failures):
    """Adds one measurement to found[name]; a side that failed once is not asked again."""
    if name in failures:
        return
    try:
        value, memory = measure()
        found.setdefault(name, []).append((value, memory))
        progress(f"  {name}: {value:.4g}")
    except Exception as error:  # a missing piece must not stop the other rows
        failures[name] = str(error) or type(error).__name__
        progress(f"  {name}: failed: {failures[name]}")


def summary(samples):
    """(median value, largest memory)"""
    memories = [m for _, m in samples if m]
    return statistics.median(v for v, _ in samples), max(memories) if memories else None


def measure_row(row, setup, machine):
    """Takes turns between ours and the peers; returns the row's entry for bench.json."""
    progress(row.name)
    found, failures = {}, {}
    try:
        peers = rows.peer_commands(row, setup)
    except Exception as error:
        peers, failures["model"] = {}, str(error)
    for _ in range(setup.rounds):
        take("ours", lambda: rows.run_ours(row, setup), found, failures)
        for name, command in peers.items():
            take(name, lambda command=command: rows.run_peer(command, setup), found, failures)
    entry = {"row": row.name, "title": row.title, "ours": None, "peer": None, "peer_name": None, "unit": row.unit,
             "ratio": None, "share_of_limit": None, "limit": None, "ours_memory_bytes": None, "peer_memory_bytes": None,
             "peers": {n: summary(found[n])[0] for n in peers if n in found}, "failures": failures}
    if entry["peers"]:
        entry["peer_name"] = max(entry["peers"], key=entry["peers"].get)
        entry["peer"], entry["peer_memory_bytes"] = summary(found[entry["peer_name"]])
        if row.kind == "lora":  # the most frugal peer counts, too
            entry["peer_memory_bytes"] = min(summary(found[n])[1] for n in entry["peers"])
        entry["peer_share_of_limit"] = rows.share_of_limit(row, entry["peer"], machine)[0]
    if "ours" in found:
        entry["ours"], entry["ours_memory_bytes"] = summary(found["ours"])
        entry["share_of_limit"], entry["limit"] = rows.share_of_limit(row, entry["ours"], machine)
        if entry["peer"]:
            entry["ratio"] = entry["ours"] / entry["peer"]
    return entry


def cells(entry):
    """The words of one table line: row, ours, theirs, ratio, share, memory."""
    def number(value, form="{:.4g}", otherwise="-"):
        return form.format(value) if value is not None else otherwise

    def memory(value):
        return f" ({value / 2**30:.2f} GiB)" if value else ""
    ours = number(entry["ours"], "{:.4g} " + entry["unit"], "failed: " + entry["failures"].get("ours", "?"))
    theirs = number(entry["peer"], "{:.4g} " + entry["unit"])
    if entry["peer"] is not None:
        theirs += memory(entry["peer_memory_bytes"]) + ", " + entry["peer_name"].rsplit(", ", 1)[-1]
    for name, reason in entry["failures"].items():
        if name != "ours":
            theirs += f"; {name.rsplit(', ', 1)[-1]} {reason}"
    share = number(entry["share_of_limit"], "{:.0%} of " + (entry["limit"] or ""))
    return [entry["title"], ours + memory(entry["ours_memory_bytes"]), theirs, number(entry["ratio"], "{:.2f}x"), share]


HEAD = ["row", "ours", "theirs", "ratio", "share of the limit"]


def print_table(entries):
    table = [HEAD] + [cells(e) for e in entries]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEAD))]
    for line in table:
        print("  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip())


def describe(machine):
    rates = [f"matmul {d} {machine[d]['gflops']:.0f} GFLOP/s ({machine[d]['by']})"
             for d in ("f32", "bf16") if machine[d]]
    if machine["probe"]:
        rates.insert(0, f"f32 FMA peak {machine['probe']['f32_fma_gflops']:.0f} GFLOP/s")
    if machine["read_gb_per_s"]:
        rates.append(f"read {machine['read_gb_per_s']:.1f} GB/s")
    return ", ".join(rates + machine["notes"])


def print_markdown(entries, machine, args):
    command = " ".join(["bench/run.py", *sys.argv[1:]])
    print(f"\n{limits.hardware()}, {args.threads} threads, {args.isa} instructions, {datetime.date.today()};",
          f"`{command}`")
    print(f"\nMeasured limits: {describe(machine)}.\n")
    print("| " + " | ".join(HEAD) + " |\n|" + " --- |" * len(HEAD))
    for entry in entries:
        print("| " + " | ".join(cells(entry)) + " |")


def main():
    args = parse()
    wanted = [row for row in rows.ROWS if row.name in args.rows.split(",") and not (args.skip_slow and row.slow)]
    setup = Setup(program=args.program, python=sys.executable, environment=environment_for(args), threads=args.threads,
                  steps=2 if args.quick else args.steps, rounds=1 if args.quick else args.rounds, limit_s=args.limit,
                  skip_compiled=args.quick or args.eager_only)
    machine = limits.machine(args.isa, args.threads, setup.environment)
    print(f"{limits.hardware()}, {args.threads} threads: {describe(machine)}", flush=True)
    entries = [measure_row(row, setup, machine) for row in wanted]
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(entries, indent=2) + "\n")
    (args.output.parent / "bench_machine.json").write_text(json.dumps(machine, indent=2) + "\n")
    print_table(entries)
    if args.markdown:
        print_markdown(entries, machine, args)
    failed = [e["row"] for e in entries if e["ours"] is None]
    if failed:
        print(f"error: bench: {len(failed)} of {len(entries)} rows failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
