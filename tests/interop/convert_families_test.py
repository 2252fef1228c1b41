#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hearth convert on every family: what it saves, of each type, in one file or several, as safetensors or .bin, loads in
the real transformers with nothing missing or unexpected, has the bits that PyTorch rounds to, and computes the same.
FAMILIES=gpt2,opt runs some."""
import os
import unittest

import hearth_program as hearth
import torch
import transformers
from families_test import MODELS, attention_of, make_model

# The same weights, so the same logits; but PyTorch adds in another order where the experts of qwen2_moe were read from a
# file. Measured: 1.9e-6 there in f32, 0 else.
LOGITS_TOLERANCE = 1e-5
# (name of the folder written, the one read, flags, type of the weights read before)
STEPS = [("bf16", "base", ("--dtype", "bf16"), torch.bfloat16),
         ("f16-bin", "base", ("--dtype", "f16", "--format", "bin"), torch.float16),
         ("bin-shards", "base", ("--format", "bin", "--max-shard-size", "100KB"), torch.float32),
         ("shards", "bin-shards", ("--max-shard-size", "100KB"), torch.float32),
         ("f32-again", "bf16", ("--dtype", "f32"), torch.bfloat16)]


def setUpModule():
    hearth.need_program()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


class ConvertFamilies(hearth.HearthTest):
    def check(self, name):
        model_type, settings = MODELS[name]
        folder = self.folder / name.replace(" ", "-").replace(",", "")
        folder.mkdir()
        state = make_model(folder / "base", model_type, settings, len(name)).state_dict()
        for out, source, flags, rounded_to in STEPS:
            with self.subTest(out):
                report = hearth.succeed_json("convert", "--model", folder / source, "--output", folder / out, *flags)
                self.assertEqual(report["overflows"], {})
                self.check_folder(folder / out, model_type, state, rounded_to)
        self.assertGreater(len(list((folder / "shards").glob("model-0*"))), 1)
        self.assertGreater(len(list((folder / "bin-shards").glob("pytorch_model-0*"))), 1)

    def check_folder(self, folder, model_type, state, rounded_to):
        """The weights are those of `state` rounded to a type, and so are the logits."""
        model, info = transformers.AutoModelForCausalLM.from_pretrained(
            folder, output_loading_info=True, dtype="auto", **attention_of(model_type))
        for what in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
            self.assertEqual(list(info.get(what, [])), [], what)
        found = model.state_dict()
        self.assertEqual(set(found), set(state))
        for key, weight in found.items():
            self.assertEqual(weight.dtype, model.dtype, key)
            self.assertTrue(torch.equal(weight, state[key].to(rounded_to).to(model.dtype)), key)
        expected = transformers.AutoModelForCausalLM.from_config(model.config, **attention_of(model_type))
        expected.load_state_dict({key: weight.to(rounded_to) for key, weight in state.items()})
        ids = torch.arange(3, 40)[None]
        with torch.inference_mode():
            logits, wanted = (m.to(model.dtype).eval()(input_ids=ids).logits for m in (model, expected))
        self.assertGreater(logits.float().std(), 0.3)
        self.assertLessEqual((logits - wanted).abs().max().item(), LOGITS_TOLERANCE)


def add_tests():
    """One for each family and each set of tensors that it may have; settings of RoPE and windows change none."""
    chosen = [name for name in os.environ.get("FAMILIES", "").split(",") if name]
    same_tensors = ("yarn", "llama3", "dynamic", "longrope", "window", "caps", "linear")
    for name, (model_type, settings) in MODELS.items():
        tied = settings.get("tie_word_embeddings")
        if (chosen and model_type not in chosen) or (not tied and any(word in name for word in same_tensors)):
            continue
        words = "".join(c if c.isalnum() else "_" for c in name)
        setattr(ConvertFamilies, f"test_{words}", lambda self, name=name: self.check(name))


add_tests()

if __name__ == "__main__":
    unittest.main()
