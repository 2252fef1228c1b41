# SPDX-License-Identifier: Apache-2.0
"""Attention of Hearth beside PyTorch's scaled_dot_product_attention, in turns: attention_peer.py <attention_bench> [rounds] [f32,bf16]

Prints for each shape the best ms of both and their ratio (above 1: Hearth is faster), and the geometric means.
Both get contiguous tensors in the layout they like: [B,T,H,D] here, [B,H,T,D] there.
"""
import math, os, subprocess, sys, time

import torch
import torch.nn.functional as F

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
BUDGET_MS = 60


def best_ms(run):
    run()
    times, begin = [], time.perf_counter()
    while (time.perf_counter() - begin) * 1e3 < BUDGET_MS or len(times) < 3:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return min(times)  # the machine may be shared


def peer(dtype, B, T, H, G, D, which):
    S, T = (T, T) if T else (4096, 1)
    torch.manual_seed(1)
    make = lambda heads, n: torch.randn(B, heads, n, D).to(TYPES[dtype]).requires_grad_(which == "backward")
    q, k, v = make(H, T), make(G, S), make(G, S)
    if G != H and T == 1:  # shared heads: here without copies
        k, v = k.expand(B, H, S, D) if G == 1 else k.repeat_interleave(H // G, 1), v.repeat_interleave(H // G, 1)
        call = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=T > 1)
    else:
        call = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=T > 1, enable_gqa=G != H)
    if which == "forward":
        with torch.no_grad():
            return best_ms(call)
    out = call()
    dout = torch.randn_like(out)
    return best_ms(lambda: torch.autograd.grad(out, (q, k, v), dout, retain_graph=True))


def shapes():
    yield 8, 256, 6, 2, 64
    yield 1, 512, 32, 4, 64
    for T in (128, 512, 1024, 2048, 4096):
        for B in (1, 8):
            for D in (64, 100, 128):
                if B * T <= 4096:
                    yield B, T, 8 if T < 2048 else 4, 8 if T < 2048 else 4, D
    yield 1, 0, 32, 32, 64  # decode: T = 1, S = 4096
    yield 1, 0, 8, 8, 128


def main():
    threads = int(os.environ.get("HEARTH_THREADS", os.cpu_count()))
    torch.set_num_threads(threads)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ours = subprocess.Popen([sys.argv[1], "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    print(f"{threads} threads, torch {torch.__version__}, HEARTH_ISA={os.environ.get('HEARTH_ISA', 'best')}; best ms of {rounds} rounds in turns")
    print(f"{'dtype':5} {'B':>2} {'T':>5} {'H':>3} {'G':>3} {'D':>4} {'':8} {'hearth':>9} {'torch':>9} {'ratio':>6}")
    ratios = {}
    for dtype in (sys.argv[3] if len(sys.argv) > 3 else "f32,bf16").split(","):
        for shape in shapes():
            for which in ("forward", "backward"):
                if shape[1] == 0 and which == "backward":
                    continue
                mine, theirs = [], []
                for _ in range(rounds):
                    ours.stdin.write(" ".join(map(str, (dtype, *shape, which, BUDGET_MS))) + "\n")
                    ours.stdin.flush()
                    mine.append(float(ours.stdout.readline()))
                    theirs.append(peer(dtype, *shape, which))
                a, b = min(mine), min(theirs)
                ratios.setdefault((dtype, which if shape[1] else "decode"), []).append(b / a)
                B, T, H, G, D = shape
                print(f"{dtype:5} {B:2} {T:5} {H:3} {G:3} {D:4} {which:8} {a:9.3f} {b:9.3f} {b / a:6.2f}", flush=True)
    for key, values in ratios.items():
        print(f"geometric mean {key[0]:5} {key[1]:8} {math.exp(sum(map(math.log, values)) / len(values)):.2f}")


if __name__ == "__main__":
    main()
