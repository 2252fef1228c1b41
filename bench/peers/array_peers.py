# SPDX-License-Identifier: Apache-2.0
"""The rows of array_bench in another library: reads lines "ROW SECONDS", answers each with one line of JSON.

  array_peers.py numpy|torch|compile|jax [--threads N]
"""
import argparse
import json
import os
import statistics
import sys
import time


def size_of(parts, letter, *otherwise):
    return next((int(p[1:]) for p in parts if p[0] == letter and p[1:].isdigit()), *otherwise)


def dtype_name(parts):
    """What NumPy, PyTorch and JAX call the dtype that is the second part of a row's name."""
    name = parts[1]
    for short, long in (("bf", "bfloat"), ("f", "float"), ("i", "int"), ("u", "uint")):
        if name.startswith(short) and name[len(short):].isdigit():
            return long + name[len(short):]
    return name


def median_of(call, seconds):
    """Median seconds of a call; short calls are timed several at a time."""
    call()
    start = time.perf_counter()
    call()
    once = max(time.perf_counter() - start, 1e-7)
    together = min(max(int(200e-6 / once), 1), 1000)
    samples, begin = [], time.perf_counter()
    while len(samples) < 3 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        for _ in range(together):
            call()
        samples.append((time.perf_counter() - start) / together)
    return statistics.median(samples), len(samples)


def library(name, threads):
    """The module with rows(): made only for the library that is asked for, so that no other one's threads exist."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    if name == "numpy":
        import array_numpy
        return array_numpy.Rows()
    if name == "jax":
        import array_jax
        return array_jax.Rows()
    import array_torch
    return array_torch.Rows(threads, name == "compile")


def main():
    parser = argparse.ArgumentParser(description="Rows of array_bench in another library.")
    parser.add_argument("library", choices=("numpy", "torch", "compile", "jax"))
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    args = parser.parse_args()
    rows = library(args.library, args.threads)
    kept, call = None, None
    answers = os.fdopen(os.dup(1), "w")  # what libraries print to stdout must not come between
    os.dup2(2, 1)
    for line in sys.stdin:
        name, seconds = line.split()
        try:
            if name != kept:
                kept, call = None, None
                call = rows.call(name.split("-"))
                kept = name
            value, samples = median_of(call, float(seconds))
            answer = {"row": name, "value": value, "samples": samples}
        except Exception as error:  # the other rows go on
            answer = {"row": name, "error": (str(error) or type(error).__name__).splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
