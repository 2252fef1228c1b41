#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The best matmul rate that numpy and PyTorch reach here: square, and the shapes of a Llama layer.

  matmul_rate.py --threads 2

Prints one line of JSON: {"f32": {"gflops", "by", "m", "n", "k"}, "bf16": {...}}. A bf16 matmul without bf16
arithmetic can take minutes; --limit ends it and what was measured before counts.
"""
import argparse
import json
import os
import threading
import time

# M tokens, N rows of the weight, K columns: square, then q_proj and up_proj of the benched models
SHAPES = ((2048, 2048, 2048), (2048, 1024, 384), (512, 2048, 2048), (512, 5632, 2048))


def best_gflops(call, m, n, k, seconds=0.5):
    """The best of the repetitions that fit into the given seconds, at least two."""
    call()
    best, start, runs = float("inf"), time.perf_counter(), 0
    while runs < 2 or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        call()
        best, runs = min(best, time.perf_counter() - begin), runs + 1
    return 2.0 * m * n * k / best * 1e-9


def candidates(m, n, k):
    """Yields (dtype, library, function) for C[M,N] = A[M,K] B[N,K]^T."""
    import numpy
    import torch
    a, b = torch.randn(m, k), torch.randn(n, k)
    out = torch.empty(m, n)
    yield "f32", "torch", lambda: torch.mm(a, b.T, out=out)
    na, nb, nout = a.numpy(), b.numpy(), numpy.empty((m, n), numpy.float32)
    yield "f32", "numpy", lambda: numpy.matmul(na, nb.T, out=nout)
    ha, hb, hout = a.bfloat16(), b.bfloat16(), out.bfloat16()
    yield "bf16", "torch", lambda: torch.mm(ha, hb.T, out=hout)


def main():
    parser = argparse.ArgumentParser(description="Best matmul rate of numpy and PyTorch.")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=float, default=60, help="seconds for everything")
    args = parser.parse_args()
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = str(args.threads)
    best = {}

    def finish():
        print(json.dumps(best), flush=True)
        os._exit(0)
    timer = threading.Timer(args.limit, finish)
    timer.start()
    import torch
    torch.set_num_threads(args.threads)
    for m, n, k in SHAPES:
        for dtype, library, call in candidates(m, n, k):
            gflops = best_gflops(call, m, n, k)
            if gflops > best.get(dtype, {"gflops": 0})["gflops"]:
                best[dtype] = {"gflops": round(gflops, 1), "by": library, "m": m, "n": n, "k": k}
    finish()


if __name__ == "__main__":
    main()
