#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LoRA on the output layer, tied to the embedding or not: training, adapters both ways and merging as the real PEFT."""
import json
import unittest
import warnings

import peft
import safetensors.torch
import torch

import hearth_program as hearth
from hearth_program import PROSE
from llama_variants_test import make_model
from peft_test import all_tensors, random_adapter, rewrite
from peft_training import train_with_peft

BLOCK, BATCH, STEPS, RATE = 64, 4, 6, 1e-2
TARGETS = ["q_proj", "lm_head"]
LOSS_TOLERANCE, GRAD_NORM_TOLERANCE = 1e-5, 1e-4
PROMPT = "First Citizen:\nBefore we"


def setUpModule():
    hearth.need_program()


class OutputLayer(hearth.HearthTest):
    """On the prose model, whose output layer has its own weight."""
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = cls.make_base()
        cls.rows, cls.data = hearth.training_blocks(cls.folder, cls.base, 12000, BLOCK, STEPS * BATCH)
        cls.start, cls.trained = cls.folder / "start", cls.folder / "trained"
        random_adapter(cls.start, cls.base, target_modules=TARGETS)
        hearth.succeed("finetune", "--model", cls.base, "--data", cls.data, "--adapter", cls.start, "--output",
                       cls.trained,
                       "--epochs", 1, "--batch-size", BATCH, "--block-size", BLOCK, "--lr", RATE, "--no-shuffle",
                       "--quiet")

    @classmethod
    def make_base(cls):
        return PROSE

    def in_peft(self, adapter, trainable=False):
        return peft.PeftModel.from_pretrained(hearth.load(self.base), adapter, is_trainable=trainable)

    def test_training_follows_peft(self):
        theirs = train_with_peft(self.in_peft(self.start, trainable=True), self.rows, BATCH, STEPS, RATE)
        ours = hearth.step_records(self.trained)
        self.assertEqual([r["step"] for r in ours], list(range(1, STEPS + 1)))
        for record, (loss, norm) in zip(ours, theirs):
            step = record["step"]
            self.assert_close(record["loss"], loss, LOSS_TOLERANCE, f"loss of step {step}")
            self.assert_close(record["grad_norm"], norm, GRAD_NORM_TOLERANCE, f"norm of step {step}")
        self.assertLess(ours[-1]["loss"], ours[0]["loss"] - 0.05, "training must move the loss")

    def test_both_matrices_of_the_output_layer_are_trained(self):
        before, after = all_tensors(self.start), all_tensors(self.trained)
        for part in ("A", "B"):
            key = f"base_model.model.lm_head.lora_{part}.weight"
            self.assertFalse(torch.equal(before[key], after[key]), key)

    def test_evaluation_loss(self):
        ours = hearth.evaluate(self.base, self.data, self.start, BLOCK)
        theirs = hearth.torch_loss(self.in_peft(self.start).eval(), self.rows)
        self.assert_close(ours["loss"], theirs, 1e-6, "evaluate")

    def test_our_adapter_in_peft(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = self.in_peft(self.trained).eval()
            result = model.load_adapter(self.trained, "again")
            about = [str(w.message) for w in caught if "peft" in w.filename or "adapter" in str(w.message)]
            self.assertEqual([text for text in about if "tie_word_embeddings" not in text], [])
            self.assertEqual((list(result.missing_keys), list(result.unexpected_keys)), ([], []))
        model.set_adapter("default")
        ours = hearth.evaluate(self.base, self.data, self.trained, BLOCK)
        self.assert_close(ours["loss"], hearth.torch_loss(model, self.rows), 1e-6, "evaluate")
        self.assert_same_greedy(hearth.greedy(self.base, PROMPT, 16, self.trained),
                                hearth.torch_greedy(model, self.base, PROMPT, 16), "greedy")

    def test_merged(self):
        out = self.folder / "merged"
        hearth.succeed("merge", "--model", self.base, "--adapter", self.trained, "--output", out)
        self.check_merged(out)
        adapted = hearth.evaluate(self.base, self.data, self.trained, BLOCK)["loss"]
        merged = hearth.load_fresh(out, "float32")
        self.assert_close(hearth.torch_loss(merged, self.rows), adapted, 1e-3 if self.base == PROSE else 1e-5, "merged")
        ours = hearth.evaluate(out, self.data, None, BLOCK)["loss"]
        self.assert_close(ours, hearth.torch_loss(merged, self.rows), 1e-6, "the merged model in Hearth")

    def check_merged(self, out):
        theirs = peft.PeftModel.from_pretrained(hearth.load(self.base, "bfloat16"), self.trained).merge_and_unload()
        state = theirs.state_dict()
        for name, tensor in all_tensors(out).items():
            self.assertTrue(torch.equal(tensor, state[name]), name)

    def test_a_base_weight_that_is_not_the_models_is_refused(self):
        key = "base_model.model.lm_head.base_layer.weight"
        self.assertIn(key, all_tensors(self.start), "PEFT writes the base weight too, or this test shows nothing")

        def change(tensors):
            tensors[key][5, 7] += 1
            return tensors
        other = rewrite(self.start, self.folder / "other-base", change)
        for name, rest in (("evaluate", ("--data", self.data)), ("generate", ("--prompt", "a")),
                           ("merge", ("--output", self.folder / "never"))):
            done = hearth.run(name, "--model", self.base, "--adapter", other, *rest)
            self.assert_refused(done, name, "lm_head", "1 of")
        self.assertFalse((self.folder / "never").exists())

    def test_bf16_comes_close(self):
        out = self.folder / "bf16"
        hearth.succeed("finetune", "--model", self.base, "--data", self.data, "--adapter", self.start, "--output", out,
                       "--epochs", 1, "--batch-size", BATCH, "--block-size", BLOCK, "--lr", RATE, "--no-shuffle",
                       "--dtype", "bf16", "--quiet")
        for half, full in zip(hearth.step_records(out), hearth.step_records(self.trained)):
            self.assert_close(half["loss"], full["loss"], 1e-2, f"step {full['step']}")


class TiedOutputLayer(OutputLayer):
    """On a small random model whose output layer is its embedding: the update acts on the output layer alone."""
    @classmethod
    def make_base(cls):
        folder = cls.folder / "tied"
        folder.mkdir()
        return make_model(folder, 5, tie_word_embeddings=True)

    def check_merged(self, out):
        merged, base = all_tensors(out), all_tensors(self.base)
        self.assertEqual(set(merged), set(base) | {"lm_head.weight"})
        self.assertTrue(torch.equal(merged["model.embed_tokens.weight"], base["model.embed_tokens.weight"]))
        self.assertIs(json.loads((out / "config.json").read_text())["tie_word_embeddings"], False)


class AllLinear(hearth.HearthTest):
    def test_leaves_the_output_layer_out(self):
        out = self.folder / "all"
        hearth.succeed("finetune", "--model", PROSE, "--data", hearth.text_file(self.folder, 3000), "--output", out,
                       "--max-steps", 1, "--batch-size", 1, "--block-size", BLOCK, "--lora-targets", "all-linear",
                       "--quiet")
        self.assertEqual([k for k in safetensors.torch.load_file(out / "adapter_model.safetensors") if "lm_head" in k],
                         [])


if __name__ == "__main__":
    unittest.main()
