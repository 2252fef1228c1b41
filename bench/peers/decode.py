#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peer: greedy decoding with transformers, batch 1, one token after the other from the cache.

  decode.py --shape tinyllama-1.1b --dtype bf16 --tokens 32

The loop is written out, not model.generate: that is a few percent faster, and the faster peer counts. With --compile
the cache is static, so that every token has the same shapes. Prints one line of JSON: tokens_per_second, step_ms
(median of one token), steps, peak_rss_bytes; or timed_out and limit_s.
"""
import peer


def first_token(model, args):
    """Reads the prompt; returns the cache and the likeliest next token [1,1]."""
    import torch
    import transformers
    cache = None
    if args.compile:
        length = args.prompt + args.warm_up + args.tokens + 1
        cache = transformers.StaticCache(config=model.config, max_cache_len=length)
    ids = peer.random_ids(model, 1, args.prompt)
    out = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1,
                cache_position=torch.arange(args.prompt))
    return out.past_key_values, out.logits[:, -1:].argmax(-1)


def main():
    parser = peer.flags("Greedy decoding with transformers.")
    parser.add_argument("--prompt", type=int, default=16, help="tokens in the cache before the first new one")
    parser.add_argument("--tokens", type=int, default=32, help="tokens that are timed")
    parser.add_argument("--warm-up", type=int, default=3, help="tokens before, not timed")
    args = parser.parse_args()
    measured = []
    peer.watch(args.limit, measured)
    import torch
    with torch.inference_mode():
        model = peer.load(args).eval()
        cache, token = first_token(model, args)
        forward = torch.compile(model, dynamic=False) if args.compile else model
        position = torch.tensor([args.prompt])

        def write():
            nonlocal token
            out = forward(input_ids=token, past_key_values=cache, use_cache=True, cache_position=position)
            token = out.logits[:, -1:].argmax(-1)
            position.add_(1)
        median = peer.repeat(write, args.warm_up, args.tokens, measured)
    peer.emit({"tokens_per_second": 1 / median, "step_ms": median * 1e3, "steps": args.tokens, "threads": args.threads})


if __name__ == "__main__":
    main()
