#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peer: LoRA training steps with PyTorch + transformers + PEFT, as a user would write them.

  lora_step.py --model assets/prose-14m --targets q_proj,v_proj --batch 8 --tokens 256 --dtype f32 [--compile]

One step is forward, backward, clip to norm 1, fused AdamW, schedule; ids change with every step. Prints one line of
JSON: tokens_per_second, step_ms (median), first_step_ms, steps, peak_rss_bytes; or timed_out and limit_s.
"""
import peer


def build_step(model, args):
    """Returns a function that does one training step and gives its loss."""
    import peft
    import torch
    targets = args.targets if args.targets == "all-linear" else args.targets.split(",")
    model = peft.get_peft_model(model, peft.LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules=targets,
                                                       task_type="CAUSAL_LM"))
    model.config.use_cache = False
    if args.checkpointing:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / 1000))
    forward = torch.compile(model, dynamic=False) if args.compile else model

    def step():
        ids = peer.random_ids(model, args.batch, args.tokens)
        loss = forward(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())
    return step


def main():
    parser = peer.flags("LoRA training steps with PyTorch, transformers and PEFT.")
    parser.add_argument("--targets", default="q_proj,v_proj", help="names with commas between, or all-linear")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--steps", type=int, default=5, help="steps that are timed")
    parser.add_argument("--warm-up", type=int, default=2, help="steps before, not timed")
    parser.add_argument("--checkpointing", action="store_true")
    args = parser.parse_args()
    measured = []
    peer.watch(args.limit, measured)
    step = build_step(peer.load(args), args)
    first = peer.timed(step)
    median = peer.repeat(step, args.warm_up - 1, args.steps, measured)
    peer.emit({"tokens_per_second": args.batch * args.tokens / median, "step_ms": median * 1e3,
               "first_step_ms": first * 1e3, "steps": args.steps, "threads": args.threads})


if __name__ == "__main__":
    main()
