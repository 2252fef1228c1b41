#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peer: reading a prompt with transformers: one forward pass that fills the cache and gives the last token's logits.

  prefill.py --shape tinyllama-1.1b --dtype bf16 --tokens 512

Prints one line of JSON: tokens_per_second, step_ms (median), steps, peak_rss_bytes; or timed_out and limit_s.
"""
import peer


def main():
    parser = peer.flags("Prefill with transformers.")
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--steps", type=int, default=3, help="passes that are timed")
    parser.add_argument("--warm-up", type=int, default=1, help="passes before, not timed")
    args = parser.parse_args()
    measured = []
    peer.watch(args.limit, measured)
    import torch
    model = peer.load(args).eval()
    forward = torch.compile(model, dynamic=False) if args.compile else model

    @torch.inference_mode()
    def read():
        forward(input_ids=peer.random_ids(model, 1, args.tokens), use_cache=True, logits_to_keep=1)
    median = peer.repeat(read, args.warm_up, args.steps, measured)
    peer.emit({"tokens_per_second": args.tokens / median, "step_ms": median * 1e3, "steps": args.steps,
               "threads": args.threads})


if __name__ == "__main__":
    main()
