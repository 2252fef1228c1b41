#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Label smoothing, z-loss and NEFTune, step by step against PyTorch."""
import unittest

import numpy as np
import torch

import hearth_program as hearth
from llama_variants_test import make_model
from peft_test import all_tensors
from peft_training import shaken_adapter, train_with_peft

BLOCK, BATCH, STEPS, RATE, SEED = 48, 4, 5, 1e-2, 9
TERMS = {"smoothed": {"label_smoothing": 0.1}, "z-loss": {"z_loss": 1e-2}, "both": {"label_smoothing": 0.3, "z_loss": 1e-3},
         "neftune": {"neftune_alpha": 5.0}, "all": {"label_smoothing": 0.1, "z_loss": 1e-3, "neftune_alpha": 10.0}}


def setUpModule():
    hearth.need_program()


def loss_with(label_smoothing=0.0, z_loss=0.0, **_):
    def loss_of(model, batch):
        logits = model(input_ids=batch).logits[:, :-1].flatten(0, 1).float()
        plain = torch.nn.functional.cross_entropy(logits, batch[:, 1:].flatten(), label_smoothing=label_smoothing)
        return plain + z_loss * (logits.logsumexp(-1)**2).mean()
    return loss_of


def threefry(key, counters):
    """Threefry-2x32 of 20 rounds, Salmon et al. 2011: two words for each u64 counter."""
    mask = np.uint64(0xffffffff)
    words = [np.uint64(key & 0xffffffff), np.uint64(key >> 32)]
    words.append(words[0] ^ words[1] ^ np.uint64(0x1bd11bda))
    x0, x1 = (counters & mask) + words[0] & mask, (counters >> np.uint64(32)) + words[1] & mask
    for group in range(5):
        for turn in ((13, 15, 26, 6), (17, 29, 16, 24))[group % 2]:
            x0 = x0 + x1 & mask
            x1 = (x1 << np.uint64(turn) | x1 >> np.uint64(32 - turn)) & mask ^ x0
        x0 = x0 + words[(group + 1) % 3] & mask
        x1 = x1 + words[(group + 2) % 3] + np.uint64(group + 1) & mask
    return np.stack([x0, x1], -1).reshape(-1)


def key_of(micro_batch):
    """splitmix64's finaliser of seed and number."""
    z = (SEED + 0x9e3779b97f4a7c15 * (micro_batch + 1)) % 2**64
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 % 2**64
    z = (z ^ z >> 27) * 0x94d049bb133111eb % 2**64
    return z ^ z >> 31


class Noise:
    """transformers' neftune_post_forward_hook, with Hearth's random numbers."""

    def __init__(self, alpha):
        self.alpha, self.calls = alpha, 0

    def __call__(self, module, inputs, output):
        count = output.numel()
        counters = np.uint64(1 << 60) + np.arange((count + 1) // 2, dtype=np.uint64)
        bits = threefry(key_of(self.calls), counters)[:count]
        self.calls += 1
        noise = torch.from_numpy((bits >> np.uint64(8)).astype(np.float64) * 2.0**-23 - 1).float().view_as(output)
        return output + noise * (self.alpha / (output.size(1) * output.size(2))**0.5)


class LossTerms(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = cls.folder / "base"
        cls.base.mkdir()
        make_model(cls.base, 6)
        cls.rows, cls.data = hearth.training_blocks(cls.folder, cls.base, 9000, BLOCK, STEPS * BATCH)
        cls.start = cls.folder / "start"
        cls.peft_model().save_pretrained(cls.start)

    @classmethod
    def peft_model(cls):
        return shaken_adapter(cls.base, r=4, lora_alpha=8, target_modules=["q_proj", "lm_head"], task_type="CAUSAL_LM")

    def finetune(self, out, terms, *extra, adapter=True):
        flags = [word for name, value in terms.items() for word in ("--" + name.replace("_", "-"), value)]
        hearth.succeed("finetune", "--model", self.base, *(("--adapter", self.start) if adapter else ()), "--data",
                       self.data, "--output", out, "--epochs", 1, "--batch-size", BATCH, "--block-size", BLOCK, "--lr", RATE,
                       "--no-shuffle", "--seed", SEED, "--quiet", *flags, *extra)
        return hearth.step_records(out)

    def test_training_follows_torch(self):
        losses = set()
        for name, terms in TERMS.items():
            with self.subTest(name):
                model = self.peft_model().train()
                if "neftune_alpha" in terms:
                    model.get_input_embeddings().register_forward_hook(Noise(terms["neftune_alpha"]))
                wanted = train_with_peft(model, self.rows, BATCH, STEPS, RATE, loss_of=loss_with(**terms))
                for record, (loss, norm) in zip(self.finetune(self.folder / name, terms), wanted, strict=True):
                    self.assert_close(record["loss"], loss, 1e-5, f"{name}: loss of step {record['step']}")
                    self.assert_close(record["grad_norm"], norm, 1e-4, f"{name}: norm of step {record['step']}")
                losses.add(round(wanted[0][0], 3))
        self.assertEqual(len(losses), len(TERMS), "each term changes the loss")

    def test_in_bf16(self):
        plain = self.finetune(self.folder / "f32", TERMS["all"])
        for ours, theirs in zip(self.finetune(self.folder / "bf16", TERMS["all"], "--dtype", "bf16"), plain, strict=True):
            self.assert_close(ours["loss"], theirs["loss"], 1e-2, f"step {ours['step']}")

    def test_evaluation_has_none(self):
        out = self.folder / "evaluated"
        self.finetune(out, TERMS["all"], "--eval-data", self.data)
        first = next(r["eval_loss"] for r in hearth.read_log(out) if "eval_loss" in r)
        self.assert_close(first, hearth.evaluate(self.base, self.data, self.start, BLOCK)["loss"], 1e-6, "before")

    def test_noise_continues_bit_for_bit(self):
        for extra in ((), ("--grad-accum", 2, "--lora-dropout", 0.1)):
            more = [*extra, "--max-steps", 6]
            whole, parts = (self.folder / f"{kind}{len(extra)}" for kind in ("whole", "parts"))
            records = self.finetune(whole, TERMS["all"], *more, adapter=False)
            self.finetune(parts, TERMS["all"], *more, "--stop-after", 3, adapter=False)
            again = self.finetune(parts, TERMS["all"], *more, "--resume", adapter=False)
            keys = ("step", "loss", "grad_norm")
            self.assertEqual(*([[r[k] for k in keys] for r in run] for run in (records, again)))
            before, after = all_tensors(whole), all_tensors(parts)
            self.assertEqual([k for k in before if not torch.equal(before[k], after[k])], [])


if __name__ == "__main__":
    unittest.main()
