# SPDX-License-Identifier: Apache-2.0
"""What this machine can do, and what a job costs: the two halves of a row's share of the limit."""
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

import make_model

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent


def one_cpu_per_core_first():
    """The CPUs of this process, hardware threads of one core far apart: pinning to the first N takes N cores."""
    cpus = sorted(os.sched_getaffinity(0))
    rank = {}
    for cpu in cpus:
        path = pathlib.Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        core = path.read_text().strip() if path.exists() else str(cpu)
        rank[cpu] = (sum(1 for c, (_, other) in rank.items() if other == core), core)
    return sorted(cpus, key=lambda cpu: (rank[cpu][0], cpu))


def pin_to(threads):
    """A function for a child process, which then runs on as many CPUs as it has threads."""
    cpus = one_cpu_per_core_first()[:threads]
    return lambda: os.sched_setaffinity(0, cpus)


def last_json(text):
    """The last line of text that is a JSON object or array; None without one."""
    for line in reversed(text.strip().splitlines()):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, (dict, list)):
            return value
    return None


def run_json(command, environment, threads, limit_s):
    """Runs command pinned to threads CPUs; returns its JSON. Raises RuntimeError that says what went wrong."""
    try:
        done = subprocess.run([str(c) for c in command], env=environment, capture_output=True, text=True,
                              timeout=limit_s, preexec_fn=pin_to(threads))
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"not done in {limit_s:.0f} s")
    except OSError as error:
        raise RuntimeError(f"{command[0]}: {error.strerror}")
    value = last_json(done.stdout)
    if done.returncode != 0 or value is None:
        lines = (done.stderr.strip() or "no JSON on stdout").splitlines()
        raise RuntimeError(f"{pathlib.Path(command[0]).name}: exit code {done.returncode}: {lines[-1]}")
    return value


def probe(isa, threads, environment):
    """Compiles bench/probe.cc when it is newer than the program, and runs it."""
    target = {"avx2": ["-mavx2", "-mfma"], "native": ["-march=native"]}["avx2" if isa == "avx2" else "native"]
    program = ROOT / "build" / f"bench_probe{'_avx2' if isa == 'avx2' else ''}"
    source = BENCH / "probe.cc"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(exist_ok=True)
        subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-O3", "-ffp-contract=fast", *target, "-pthread",
                        str(source), "-o", str(program)], check=True)
    return run_json([program, "--threads", threads], environment, threads, 120)


def gemm_bench_rates(program, environment, threads):
    """The best GFLOP/s per dtype in the table of build/gemm_bench: ours and oneDNN's columns, after dtype M x K x N."""
    done = subprocess.run([str(program), "--json"], env=environment, capture_output=True, text=True, timeout=300,
                          preexec_fn=pin_to(threads))
    best = {}
    for line in re.finditer(r"\b(f32|bf16) +\d+ x +\d+ x +\d+ +([\d.]+) +([\d.]+|-)", done.stdout):
        best[line[1]] = max(best.get(line[1], 0), *(float(rate) for rate in line.groups()[1:] if rate != "-"))
    for found in re.finditer(r'"dtype": *"(f32|bf16)"[^{}]*"gflops": *([\d.]+)', done.stdout):
        best[found[1]] = max(best.get(found[1], 0), float(found[2]))
    if not best:
        raise RuntimeError(f"gemm_bench: exit code {done.returncode}, no rates in its output")
    return best


def machine(isa, threads, environment):
    """{"f32", "bf16": {"gflops", "by"}, "read_gb_per_s", "probe", "notes"}, measured; a missing piece is a note."""
    limits = {"f32": None, "bf16": None, "read_gb_per_s": None, "probe": None, "notes": []}
    try:
        limits["probe"] = probe(isa, threads, environment)
        limits["read_gb_per_s"] = limits["probe"]["read_gb_per_s"]
    except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
        limits["notes"].append(f"probe: {error}")
    try:
        rates = run_json([sys.executable, BENCH / "peers" / "matmul_rate.py", "--threads", threads], environment,
                         threads, 90)
        limits.update({dtype: {"gflops": r["gflops"], "by": r["by"]} for dtype, r in rates.items()})
    except RuntimeError as error:
        limits["notes"].append(f"matmul rate: {error}")
    gemm_bench = ROOT / "build" / "gemm_bench"
    if gemm_bench.exists():
        try:
            for dtype, rate in gemm_bench_rates(gemm_bench, environment, threads).items():
                if limits[dtype] is None or rate > limits[dtype]["gflops"]:
                    limits[dtype] = {"gflops": rate, "by": "gemm_bench"}
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            limits["notes"].append(str(error))
    return limits


def matmul_gflops(limits, dtype):
    """The rate a job in dtype is set against. Without bf16 arithmetic bf16 is widened: then f32 is the limit."""
    rates = [limits[d]["gflops"] for d in (("f32", "bf16") if dtype == "bf16" else ("f32",)) if limits[d]]
    return max(rates) if rates else None


def sizes(shape):
    """(weights multiplied in the layers, weights of the output layer, H*D, kv width) of a shape."""
    s = make_model.SHAPES[shape]
    kv = s["G"] * (s["C"] // s["H"])
    layer = 2 * s["C"] * s["C"] + 2 * kv * s["C"] + 3 * s["F"] * s["C"]
    return s["L"] * layer, s["V"] * s["C"], s["C"], kv


def adapter_weights(shape, targets, rank=8):
    s = make_model.SHAPES[shape]
    kv = s["G"] * (s["C"] // s["H"])
    outputs = {"q_proj": (s["C"], s["C"]), "k_proj": (s["C"], kv), "v_proj": (s["C"], kv), "o_proj": (s["C"], s["C"]),
               "gate_proj": (s["C"], s["F"]), "up_proj": (s["C"], s["F"]), "down_proj": (s["F"], s["C"])}
    names = outputs if targets == "all-linear" else targets.split(",")
    return s["L"] * sum(rank * sum(outputs[name]) for name in names)


def lora_flops_per_token(shape, tokens, targets):
    """Forward 2P, backward through the frozen weights 2P, adapters 6p, causal attention 2THD and backward 4THD."""
    body, head, width, _ = sizes(shape)
    attention = 6 * tokens * width * make_model.SHAPES[shape]["L"]
    return 4 * (body + head) + 6 * adapter_weights(shape, targets) + attention


def prefill_flops_per_token(shape, tokens):
    """Forward 2P of the layers and causal attention 2THD; the output layer only for the last token."""
    body, head, width, _ = sizes(shape)
    return 2 * body + 2 * head / tokens + 2 * tokens * width * make_model.SHAPES[shape]["L"]


def decode_bytes_per_token(shape, cached_tokens, dtype):
    """Every multiplied weight once, and the keys and values of the tokens in the cache."""
    body, head, _, kv = sizes(shape)
    return (body + head + 2 * make_model.SHAPES[shape]["L"] * kv * cached_tokens) * {"f32": 4, "bf16": 2}[dtype]


def hardware():
    """One line about this machine, without its name."""
    model = platform.processor() or platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else ():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {len(os.sched_getaffinity(0))} CPUs, {memory:.0f} GiB"
