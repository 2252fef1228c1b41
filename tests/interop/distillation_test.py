#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Distillation against PyTorch and PEFT: cross-entropy mixed with the forward divergence from the teacher's softened
distribution (Hinton et al. 2015), step by step."""
import json
import shutil
import unittest

import peft
import torch
import torch.nn.functional as F

import hearth_program as hearth
from hearth_program import PROSE, REFERENCE

BLOCK, BATCH, RATE = 48, 4, 1e-2
LARGE_BATCH = 24  # 1152 rows: logits of 4096 tokens come in chunks of 1024
LOSS_TOLERANCE, GRAD_NORM_TOLERANCE = 1e-5, 1e-4


def setUpModule():
    hearth.need_program()


class Distillation(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = hearth.text_file(cls.folder, 30000)
        cls.rows = hearth.blocks(PROSE, text, BLOCK)
        cls.data = text
        cls.teacher = cls.folder / "teacher"  # the same tokens, other numbers and fewer layers
        torch.manual_seed(2)
        model = hearth.load(PROSE)
        model.model.layers = model.model.layers[:2]
        model.config.num_hidden_layers = 2
        for weight in model.parameters():
            weight.data.add_(0.02 * torch.randn_like(weight))
        model.save_pretrained(cls.teacher)
        for path in PROSE.glob("*token*"):
            shutil.copy(path, cls.teacher)

    def torch_run(self, steps, temperature, weight, batch, full):
        model = hearth.load(PROSE)
        if not full:
            model = peft.PeftModel.from_pretrained(model, REFERENCE / "lora_init", is_trainable=True)
        teacher = hearth.load(self.teacher)
        parameters = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0)
        records = []
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = RATE * (1 - step / steps)
            rows = self.rows[step * batch:(step + 1) * batch]
            student = model(input_ids=rows).logits[:, :-1].flatten(0, 1)
            with torch.no_grad():
                taught = teacher(input_ids=rows).logits[:, :-1].flatten(0, 1)
            cross_entropy = F.cross_entropy(student, rows[:, 1:].flatten())
            kl = F.kl_div(F.log_softmax(student / temperature, -1), F.log_softmax(taught / temperature, -1),
                          log_target=True, reduction="batchmean")
            loss = (1 - weight) * cross_entropy + weight * temperature ** 2 * kl
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            records.append({"loss": float(loss.detach()), "grad_norm": float(norm),
                            "distillation/kl": float(kl.detach()),
                            "distillation/cross_entropy": float(cross_entropy.detach())})
        return records

    def words(self, output, steps, *flags, batch=BATCH, full=False):
        trained = ("--full",) if full else ("--adapter", REFERENCE / "lora_init")
        return ("finetune", "--model", PROSE, *trained, "--data", self.data, "--output", self.folder / output,
                "--teacher", self.teacher, "--block-size", BLOCK, "--batch-size", batch, "--lr", RATE, "--max-steps", steps,
                "--no-shuffle", "--quiet", *flags)

    def compare(self, name, steps, temperature, weight, batch=BATCH, full=False):
        hearth.succeed(*self.words(name, steps, "--teacher-temperature", temperature, "--teacher-weight", weight,
                                   batch=batch, full=full))
        theirs = self.torch_run(steps, temperature, weight, batch, full)
        for our, their in zip(hearth.step_records(self.folder / name), theirs, strict=True):
            for metric, value in their.items():
                tolerance = GRAD_NORM_TOLERANCE if metric == "grad_norm" else LOSS_TOLERANCE
                self.assert_close(our[metric], value, tolerance, f"{name}: {metric} of step {our['step']}")

    def test_twenty_steps(self):
        self.compare("half", 20, 2.0, 0.5)

    def test_the_teacher_alone(self):
        self.compare("alone", 3, 1.0, 1.0)

    def test_logits_in_several_chunks(self):
        self.compare("chunks", 2, 1.5, 0.7, batch=LARGE_BATCH)

    def test_full_tuning(self):
        self.compare("full", 3, 2.0, 0.5, full=True)

    def test_half_precision_follows_f32(self):
        hearth.succeed(*self.words("f32", 3))
        expected = [record["loss"] for record in hearth.step_records(self.folder / "f32")]
        for dtype in ("bf16", "f16"):
            hearth.succeed(*self.words(dtype, 3, "--dtype", dtype))
            ours = [record["loss"] for record in hearth.step_records(self.folder / dtype)]
            for loss, exact in zip(ours, expected, strict=True):
                self.assert_close(loss, exact, 2e-2, dtype)

    def test_resume_is_bit_exact(self):
        words = ("--grad-accum", 2, "--lora-dropout", 0)
        hearth.succeed(*self.words("whole", 5, *words))
        hearth.succeed(*self.words("parts", 5, *words, "--stop-after", 2))
        hearth.succeed(*self.words("parts", 5, *words, "--resume"))
        whole, parts = self.folder / "whole", self.folder / "parts"
        self.assertEqual((whole / "adapter_model.safetensors").read_bytes(), (parts / "adapter_model.safetensors").read_bytes())
        self.assert_refused(hearth.run(*self.words("parts", 5, *words, "--resume", "--teacher-weight", 0.25)), "finetune", "teacher-weight")

    def test_what_is_refused(self):
        other = self.folder / "other"
        shutil.copytree(self.teacher, other)
        tokenizer = json.loads((other / "tokenizer.json").read_text(encoding="utf-8"))
        vocab = tokenizer["model"]["vocab"]
        first, second = sorted(vocab, key=vocab.get)[1000:1002]
        vocab[first], vocab[second] = vocab[second], vocab[first]
        (other / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
        words = list(self.words("bad", 1))
        words[words.index("--teacher") + 1] = other
        done = hearth.run(*words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"other' has another tokenizer: token 1000 is '{second}', the model's is '{first}'\n", done.stderr)
        for flags, message in ((("--objective", "dpo"), "--teacher does not go with --objective dpo"),
                               (("--label-smoothing", 0.1), "--label-smoothing does not go with --teacher"),
                               (("--z-loss", 0.1), "--z-loss does not go with --teacher")):
            done = hearth.run(*self.words("bad", 1, *flags))
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(message, done.stderr)
        done = hearth.run("finetune", "--model", PROSE, "--data", self.data, "--output", self.folder / "bad", "--teacher-weight", 0.3)
        self.assertIn("--teacher-weight belongs to --teacher", done.stderr)
        self.assertFalse((self.folder / "bad").exists())


if __name__ == "__main__":
    unittest.main()
