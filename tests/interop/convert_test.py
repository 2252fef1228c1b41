#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hearth convert: every tensor as PyTorch rounds it, and folders that transformers loads with nothing missing."""
import json
import shutil
import unittest

import safetensors.torch
import torch
import transformers

import hearth_program as hearth
from hearth_program import PROSE
from llama_variants_test import make_model, to_version_4, change_config

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


def setUpModule():
    hearth.need_program()


def weights(folder):
    """All tensors of a folder, of whichever files it has."""
    state = {}
    for path in sorted(folder.glob("*.safetensors")):
        state |= safetensors.torch.load_file(path)
    for path in sorted(folder.glob("*.bin")):
        state |= torch.load(path, weights_only=True, mmap=True)
    return state


def same(a, b):
    """The same numbers; which NaN is not looked at."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if not a.dtype.is_floating_point:
        return torch.equal(a, b)
    whole = torch.int16 if a.itemsize == 2 else torch.int32
    return torch.equal(a.isnan(), b.isnan()) and torch.equal(a[~a.isnan()].view(whole), b[~b.isnan()].view(whole))


class Convert(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = cls.folder / "base"
        cls.base.mkdir()
        make_model(cls.base, 3)

    def convert(self, name, source=None, *flags):
        out = self.folder / name
        return out, hearth.succeed_json("convert", "--model", source or self.base, "--output", out, *flags)

    def check_loads(self, folder, dtype):
        model, report = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, dtype="auto")
        for what in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
            self.assertEqual(list(report.get(what, [])), [], what)
        self.assertEqual(model.dtype, dtype)
        return model

    def test_every_pair_of_types_and_files(self):
        state = weights(self.base)
        last = {"f32": self.base}
        for step, (dtype, form) in enumerate([("bf16", "safetensors"), ("f16", "bin"), ("bf16", "bin"), ("f32", "bin"),
                                              ("f16", "safetensors"), ("f32", "safetensors")]):
            source = last["f32"] if step != 2 else last["f16"]
            before = weights(source)
            out, report = self.convert(f"step{step}", source, "--dtype", dtype, "--format", form)
            after = weights(out)
            self.assertEqual(set(after), set(state))
            for name, tensor in before.items():
                self.assertTrue(same(after[name], tensor.to(DTYPES[dtype])), f"{source} to {dtype} {form}: {name}")
            self.assertEqual(report["overflows"], {})
            self.check_loads(out, DTYPES[dtype])
            last[dtype] = out

    def test_any_bits(self):
        """Random bits of each type, subnormal numbers, infinities and NaN; types that stay."""
        generator = torch.Generator().manual_seed(5)
        source = self.folder / "bits"
        source.mkdir()
        (source / "config.json").write_text('{"model_type": "llama"}')

        def random(dtype, count):
            return torch.randint(0, 256, (count * dtype.itemsize,), dtype=torch.uint8, generator=generator).view(dtype)
        state = {"f64": random(torch.float64, 4099), "f32": random(torch.float32, 70001), "i64": random(torch.int64, 5),
                 "f16": torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(torch.float16).clone(),
                 "bf16": torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(torch.bfloat16).clone(),
                 "mask": torch.tensor([True, False]), "scalar": torch.tensor(1.1), "none": torch.zeros(0, 3),
                 "near": torch.linspace(-70000, 70000, 9001)}
        safetensors.torch.save_file(state, source / "model.safetensors")
        for dtype in DTYPES:
            for form in ("safetensors", "bin"):
                out, report = self.convert(f"bits-{dtype}-{form}", source, "--dtype", dtype, "--format", form)
                after = weights(out)
                self.assertEqual(set(after), set(state))
                for name, tensor in state.items():
                    wanted = tensor.to(torch.float32).to(DTYPES[dtype]) if tensor.is_floating_point() else tensor
                    self.assertTrue(same(after[name], wanted), f"{name} to {dtype}")
                    over = int((wanted.isinf() & ~tensor.isinf()).sum())
                    self.assertEqual(report["overflows"].get(name, 0), over, f"{name} to {dtype}")

    def test_overflow_is_reported(self):
        source = self.folder / "large"
        shutil.copytree(self.base, source)
        state = weights(source)
        state["model.norm.weight"][3] = 1e5
        safetensors.torch.save_file(state, source / "model.safetensors", {"format": "pt"})
        done = hearth.run("convert", "--model", source, "--output", self.folder / "over", "--dtype", "f16")
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: 1 number is too large for f16 and became infinite, in 'model.norm.weight'", done.stderr)

    def test_shards(self):
        limit = 400_000
        for form, stem in (("safetensors", "model"), ("bin", "pytorch_model")):
            out, report = self.convert(f"shards-{form}", None, "--max-shard-size", "400KB", "--format", form)
            files = sorted(out.glob(f"{stem}-0*"))
            self.assertGreater(len(files), 2)
            index = json.loads((out / f"{stem}.{form}.index.json").read_text())
            state = weights(out)
            self.assertEqual(set(index["weight_map"]), set(state))
            self.assertEqual(index["metadata"]["total_size"], sum(t.numel() * t.itemsize for t in state.values()))
            for file in files:
                names = [n for n, f in index["weight_map"].items() if f == file.name]
                size = sum(state[n].numel() * state[n].itemsize for n in names)
                self.assertTrue(size <= limit or len(names) == 1, file)
            self.check_loads(out, torch.float32)
            back, _ = self.convert(f"single-{form}", out)
            for name, tensor in weights(back).items():
                self.assertTrue(torch.equal(tensor, weights(self.base)[name]), name)

    def test_as_transformers_saves(self):
        """The same safetensors bytes as save_pretrained, tied weights left out."""
        for tied in (False, True):
            source, theirs = self.folder / f"source-{tied}", self.folder / f"theirs-{tied}"
            source.mkdir()
            make_model(source, 4, tie_word_embeddings=tied)
            if tied:
                state = weights(source)
                state["lm_head.weight"] = state["model.embed_tokens.weight"]
                (source / "model.safetensors").unlink()
                torch.save(state, source / "pytorch_model.bin")
            out, report = self.convert(f"ours-{tied}", source, "--dtype", "bf16")
            model = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16)
            model.save_pretrained(theirs)
            self.assertEqual((out / "model.safetensors").read_bytes(), (theirs / "model.safetensors").read_bytes())
            self.assertEqual(report["tied"], ["lm_head.weight"] if tied else [])
            self.check_loads(out, torch.bfloat16)
            if tied:
                bin_out, _ = self.convert("tied-bin", source, "--format", "bin")
                state = torch.load(bin_out / "pytorch_model.bin", weights_only=True)
                self.assertEqual(state["lm_head.weight"].data_ptr(), state["model.embed_tokens.weight"].data_ptr())
                self.check_loads(bin_out, torch.float32)

    def test_config_keeps_its_version(self):
        old = self.folder / "old"
        shutil.copytree(self.base, old)
        change_config(old, to_version_4)
        for source, key, other in ((self.base, "dtype", "torch_dtype"), (old, "torch_dtype", "dtype")):
            out, _ = self.convert(f"config-{key}", source, "--dtype", "f16")
            before, after = (json.loads((f / "config.json").read_text()) for f in (source, out))
            self.assertEqual(after, before | {key: "float16"})
            self.assertNotIn(other, after)
            for name in ("tokenizer.json", "generation_config.json"):
                self.assertEqual((out / name).read_bytes(), (source / name).read_bytes())
        same_type, _ = self.convert("config-same", self.base, "--format", "bin")
        self.assertEqual(json.loads((same_type / "config.json").read_text()),
                         json.loads((self.base / "config.json").read_text()))

    def test_the_real_model_computes_the_same(self):
        data = hearth.text_file(self.folder, 3000)
        out, _ = self.convert("prose", PROSE, "--dtype", "f32", "--format", "bin", "--max-shard-size", "10MB")
        self.assertEqual(hearth.evaluate(out, data, None, 64)["loss"], hearth.evaluate(PROSE, data, None, 64)["loss"])

    def test_refusals(self):
        base = str(self.base)
        for flags, words in ((("--output", base), ["is the folder that is read"]),
                             (("--output", self.folder / "x", "--model", self.folder / "none"), ["there is no folder"])):
            done = hearth.run("convert", "--model", base, *flags) if "--model" not in flags else \
                hearth.run("convert", *flags)
            self.assert_refused(done, "convert", *words)
        done = hearth.run("convert", "--model", base, "--output", self.folder / "x", "--max-shard-size", "big")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--max-shard-size: 'big' is no size; write it like 5GB", done.stderr)
        full = self.folder / "full"
        full.mkdir()
        (full / "diary.txt").write_text("dear diary")
        self.assert_refused(hearth.run("convert", "--model", base, "--output", full), "convert", "it stays as it is")
        self.assertEqual([p.name for p in full.iterdir()], ["diary.txt"])


if __name__ == "__main__":
    unittest.main()
