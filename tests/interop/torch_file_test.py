#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pytorch_model.bin: what torch.save writes in every layout, read as torch.load reads it; and nothing else read."""
import collections
import io
import json
import os
import pathlib
import pickle
import random
import shutil
import struct
import subprocess
import unittest
import warnings
import zipfile

import safetensors.torch
import torch
import transformers

import hearth_program as hearth
from hearth_program import PROSE
from llama_variants_test import make_model

TOOL = pathlib.Path(os.environ.get("HEARTH_BUILD", hearth.ROOT / "build")) / "hearth_tensors"
TYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
         torch.uint8, torch.bool, torch.uint16, torch.uint32, torch.uint64]
RANDOM_FILES = 150


def setUpModule():
    hearth.need_program()


def bits(shape, dtype, generator):
    """Any bits, NaN and infinities included; a bool is 0 or 1."""
    if dtype == torch.bool:
        return torch.randint(0, 2, shape, generator=generator).bool()
    count = torch.Size(shape).numel() * dtype.itemsize
    return torch.randint(0, 256, (count,), dtype=torch.uint8, generator=generator).view(dtype).reshape(shape)


def random_tensor(choose, generator):
    """Of any type, contiguous or a view: transposed, every other element, a slice, one element repeated."""
    dtype = choose.choice(TYPES)
    shape = [choose.choice([0, 1, 1, 2, 3, 5, 8]) for _ in range(choose.randrange(5))]
    tensor = bits(shape, dtype, generator)
    form = choose.choice(["plain", "plain", "transposed", "slice", "step", "expanded", "parameter", "attribute"])
    if form == "transposed" and tensor.dim() > 1:
        return tensor.transpose(0, -1)
    if form == "slice" and tensor.dim() > 0:
        return bits([*shape[:-1], shape[-1] + 7], dtype, generator)[..., 3:3 + shape[-1]]
    if form == "step" and tensor.dim() > 0:
        return bits([*shape[:-1], shape[-1] * 3], dtype, generator)[..., ::3]
    if form == "expanded":
        return tensor.unsqueeze(0).expand(2, *shape)
    if form == "parameter" and dtype.is_floating_point:
        return torch.nn.Parameter(tensor)
    if form == "attribute":
        tensor.remark = {"a": [1, 2.5, None]}
    return tensor


def random_state(seed):
    choose, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    state = collections.OrderedDict() if seed % 2 else {}
    for i in range(choose.randrange(1, 12)):
        state[choose.choice(["model.layers.%d.weight", "é.%d", "%d", "a b%d"]) % i] = random_tensor(choose, generator)
    if len(state) > 1:
        state["shared"] = state[next(iter(state))]
    if isinstance(state, collections.OrderedDict):
        state._metadata = collections.OrderedDict({"": {"version": 1}})
    return state


def legacy_safe(state):
    """The old layout refuses one storage with two types, and new integers."""
    return {k: v for k, v in state.items() if v.dtype not in (torch.uint16, torch.uint32, torch.uint64)}


def repack(source, target, compression=zipfile.ZIP_DEFLATED, change=lambda name, data: data):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def same(ours, theirs):
    def plain(tensor):
        return torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor.detach()).flatten().view(torch.uint8)
    return ours.dtype == theirs.dtype and ours.shape == theirs.shape and torch.equal(plain(ours), plain(theirs))


class TorchFileTest(hearth.HearthTest):
    def read(self, *paths):
        """Hearth's answer for each file."""
        lines = [json.dumps({"in": str(path), "out": str(path) + ".safetensors"}) for path in paths]
        done = subprocess.run([TOOL], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def check(self, path, state, answer):
        self.assertEqual(answer.get("names"), list(state), answer)
        ours = safetensors.torch.load_file(str(path) + ".safetensors")
        for name, tensor in state.items():
            self.assertTrue(same(ours[name], tensor), f"{path} {name}: {ours[name]} is not {tensor}")

    def refused(self, path, kind, *words):
        answer = self.read(path)[0]
        self.assertEqual(answer.get("kind"), kind, answer)
        for word in (path.name, *words):
            self.assertIn(str(word), answer["error"])


class Layouts(TorchFileTest):
    def test_random_states_in_every_layout(self):
        files = []
        for seed in range(RANDOM_FILES):
            state = random_state(seed)
            path = self.folder / f"{seed}.bin"
            if seed % 3 == 0:
                state = legacy_safe(state)
                torch.save(state, path, _use_new_zipfile_serialization=False,
                           pickle_protocol=[2, 3, 4, 5][seed // 3 % 4])
            else:
                torch.save(state, path, pickle_protocol=[2, 3, 4, 5][seed // 3 % 4])
            if seed % 3 == 2:
                repack(path, path.with_suffix(".new"), [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED][seed // 3 % 2])
                path.with_suffix(".new").rename(path)
            files.append((path, state))
        for (path, state), answer in zip(files, self.read(*(path for path, _ in files))):
            self.check(path, state, answer)

    def test_stored_tensors_are_used_in_place(self):
        state = {f"w{i}": torch.randn(33, 5) for i in range(20)} | {"t": torch.randn(4, 6).T}
        path = self.folder / "place.bin"
        torch.save(state, path)
        self.assertEqual(self.read(path)[0]["in_place"], 20)

    def test_large_indices_and_many_tensors(self):
        state = {f"model.layers.{i}.weight": torch.full((3,), float(i)) for i in range(3000)}
        path, old = self.folder / "many.bin", self.folder / "many-old.bin"
        torch.save(state, path)
        torch.save(state, old, _use_new_zipfile_serialization=False)
        for file, answer in zip((path, old), self.read(path, old)):
            self.check(file, state, answer)

    def test_python_2_and_torch_1_0(self):
        """As Python 2 with PyTorch 0.4 to 1.0 wrote: byte strings, pairs as an argument, _rebuild_tensor, views."""
        numbers = struct.pack("<6f", *range(6))

        def text(word):
            return b"U" + bytes([len(word)]) + word
        storage = (b"(" + text(b"storage") + b"ctorch\nFloatStorage\n" + text(b"77") + text(b"cpu") + b"K\x06"
                   + b"(" + text(b"78") + b"K\x02K\x04t" + b"tQ")
        tensor = b"ctorch._utils\n_rebuild_tensor\n(" + storage + b"K\x01K\x02\x85K\x01\x85tR"
        state = b"\x80\x02ccollections\nOrderedDict\n]q\x00]q\x01(" + text(b"w") + tensor + b"ea\x85R."
        head = b"".join(pickle.dumps(x, protocol=2)
                        for x in (0x1950a86a20f9469cfc6c, 1001, {"little_endian": True, "protocol_version": 1001}))
        path = self.folder / "old.bin"
        path.write_bytes(head + state + b"\x80\x02]" + text(b"77") + b"a." + struct.pack("<q", 6) + numbers)
        self.check(path, {"w": torch.tensor([3.0, 4.0])}, self.read(path)[0])

    def test_big_endian(self):
        state = {"a": torch.arange(6, dtype=torch.float32).view(2, 3), "b": torch.arange(3, dtype=torch.int16),
                 "c": torch.arange(4, dtype=torch.uint8)}
        path, big = self.folder / "little.bin", self.folder / "big.bin"
        torch.save(state, path)

        def swap(name, data):
            if name.endswith("byteorder"):
                return b"big"
            if "/data/" not in name:
                return data
            size = list(state.values())[int(name.rsplit("/", 1)[1])].dtype.itemsize
            return b"".join(data[i:i + size][::-1] for i in range(0, len(data), size))
        repack(path, big, zipfile.ZIP_STORED, swap)
        self.check(big, state, self.read(big)[0])


class Refused(TorchFileTest):
    def zip_of(self, name, data, **members):
        path = self.folder / name
        with zipfile.ZipFile(path, "w") as out:
            out.writestr("archive/data.pkl", data)
            for member, content in members.items():
                out.writestr("archive/" + member.replace("__", "/"), content)
        return path

    def test_code_is_not_run(self):
        class Evil:
            def __reduce__(self):
                return (os.system, (f"touch {canary}",))
        canary = self.folder / "ran"
        for name, options in (("new.bin", {}), ("old.bin", {"_use_new_zipfile_serialization": False})):
            for protocol in (2, 4):
                path = self.folder / name
                torch.save({"w": torch.zeros(2), "x": Evil()}, path, pickle_protocol=protocol, **options)
                self.refused(path, "unsupported", "posix.system", "byte", "runs no code")
        path = self.folder / "dill.bin"
        torch.save({"w": torch.zeros(2), "f": torch.nn.Linear(1, 1)}, path)
        self.refused(path, "unsupported", "torch.nn.modules.linear.Linear")
        self.assertFalse(canary.exists())

    def test_what_is_no_state_dict(self):
        cases = {"list": ([torch.zeros(1)], "format", "no state dict"),
                 "nested": ({"state_dict": {"w": torch.zeros(1)}}, "unsupported", "tensor 'state_dict': is no tensor, but"),
                 "number": ({"epoch": 3}, "unsupported", "'epoch'"), "keys": ({3: torch.zeros(1)}, "format", "no text"),
                 "complex": ({"z": torch.zeros(1, dtype=torch.complex64)}, "unsupported", "ComplexFloatStorage"),
                 "float8": ({"z": torch.zeros(1).to(torch.float8_e4m3fn)}, "unsupported", "torch.float8_e4m3fn"),
                 "sparse": ({"z": torch.zeros(2, 2).to_sparse()}, "unsupported", "sparse")}
        for name, (value, kind, word) in cases.items():
            torch.save(value, self.folder / f"{name}.bin")
            self.refused(self.folder / f"{name}.bin", kind, word)
        script = self.folder / "script.bin"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(script))
        self.refused(script, "unsupported", "TorchScript")

    def test_files_of_other_kinds(self):
        for name, data, word in (("empty", b"", "begins neither"), ("text", b"version https://git-lfs", "begins neither"),
                                 ("pickle", pickle.dumps({}, protocol=2), "magic number"),
                                 ("tar", b"x" * 257 + b"ustar" + b"x" * 250, "tar archive"),
                                 ("zip", b"PK" + b"x" * 100, "no end of a zip")):
            path = self.folder / f"{name}.bin"
            path.write_bytes(data)
            self.refused(path, "unsupported" if name == "tar" else "format", word)

    def test_every_cut_is_noticed(self):
        state = {"a": torch.randn(7, 3), "b": torch.arange(5)}
        for new in (True, False):
            path = self.folder / f"whole-{new}.bin"
            torch.save(state, path, _use_new_zipfile_serialization=new)
            whole = path.read_bytes()
            cuts = []
            for end in range(0, len(whole), 7):
                cuts.append(self.folder / f"cut-{end}.bin")
                cuts[-1].write_bytes(whole[:end])
            for path, answer in zip(cuts, self.read(*cuts)):
                self.assertIn("error", answer, path)

    def test_sizes_that_are_wrong(self):
        path = self.folder / "base.bin"
        torch.save({"a": torch.zeros(4)}, path)

        def with_data(name, change):
            return repack(path, self.folder / name, zipfile.ZIP_STORED, change)
        self.refused(with_data("short.bin", lambda n, d: d[:-4] if n.endswith("data/0") else d), "format",
                     "data/0 has 12 bytes, but data.pkl says 16")
        self.refused(with_data("stride.bin", lambda n, d: d.replace(b"K\x04\x85q", b"K\x05\x85q")), "format",
                     "tensor 'a'", "element 4 of a storage that has 4")
        self.refused(with_data("order.bin", lambda n, d: b"middle" if n.endswith("byteorder") else d), "format", "middle")
        self.refused(with_data("none.bin", lambda n, d: d.replace(b"X\x01\x00\x00\x000", b"X\x01\x00\x00\x001")), "format",
                     "no data/1")

    def test_strange_pickles(self):
        """Loops, huge counts and what has no end: an error at once, in little memory."""
        storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"

        def tensor(shape, strides):
            return (b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00" + shape + strides
                    + b"\x89}tRs.")
        huge = b"\x8a\x08" + struct.pack("<q", 2**62)
        cases = {
            "list-in-itself": (b"\x80\x02]q\x00h\x00a.", "format"),
            "dict-in-itself": (b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.", "unsupported"),
            "tuple-tower": (b"\x80\x02)" + b"\x85" * 2_000_000 + b".", "format"),
            "size-tower": (tensor(b"ctorch\nSize\nq\x00" + b"h\x00" * 100_000 + b")R" + b"\x85R" * 100_000, b")"), "format"),
            "marks": (b"\x80\x02" + b"(" * 1_000_000 + b".", "format"),
            "gets": (b"\x80\x02]q\x00" + b"h\x00" * 1_000_000 + b".", "format"),
            "objects": (b"\x80\x02" + b"N" * 5_000_000 + b".", "format"),
            "long-text": (b"\x80\x02X\xff\xff\xff\xffabc.", "format"),
            "longer-text": (b"\x80\x04\x8d" + b"\xff" * 8 + b"abc.", "format"),
            "no-end": (b"\x80\x02}", "format"), "empty-stack": (b"\x80\x02.", "format"), "nothing": (b"", "format"),
            "no-mark": (b"\x80\x02t.", "format"), "protocol": (b"\x80\x09N.", "unsupported"),
            "opcode": (b"\x80\x02I1\n.", "unsupported"), "no-memo": (b"\x80\x02h\x05.", "format"),
            "name": (b"\x80\x02cbuiltins\neval\n.", "unsupported"), "call": (b"\x80\x02NNR.", "format"),
            "huge-shape": (tensor(huge + huge + b"\x86", b"K\x00K\x00\x86"), "format"),
            "huge-stride": (tensor(b"K\x04K\x04\x86", huge + huge + b"\x86"), "format"),
            "repeated": (tensor(b"J\x00\x00\x00\x70\x85", b"K\x00\x85"), "unsupported"),
            "negative": (tensor(b"J\xff\xff\xff\xff\x85", b"K\x01\x85"), "format"),
            "rank": (tensor(b"K\x04K\x01\x86", b"K\x01\x85"), "format"),
        }
        paths = {name: self.zip_of(f"{name}.bin", data, data__0=bytes(16)) for name, (data, _) in cases.items()}
        for name, path in paths.items():
            with self.subTest(name):
                self.refused(path, cases[name][1])

    def test_an_archive_that_unpacks_to_too_much(self):
        path = self.folder / "bomb.bin"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("a/data.pkl", b"\x80\x02}" + b"N0" * 40_000_000 + b".")
        self.refused(path, "format", "more than Hearth reads")


class Models(hearth.HearthTest):
    """Folders of models and adapters with .bin files, used by the program."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.base = cls.folder / "base"
        cls.base.mkdir()
        make_model(cls.base, 3, tie_word_embeddings=True)
        cls.data = hearth.text_file(cls.folder, 4000)

    def variant(self, name):
        out = self.folder / name
        shutil.copytree(self.base, out)
        (out / "model.safetensors").unlink()
        return out, safetensors.torch.load_file(self.base / "model.safetensors")

    def check(self, folder):
        loss = hearth.evaluate(folder, self.data, None, 48)["loss"]
        self.assertEqual(loss, hearth.evaluate(self.base, self.data, None, 48)["loss"])
        theirs = transformers.AutoModelForCausalLM.from_pretrained(folder).state_dict()
        for name, tensor in safetensors.torch.load_file(self.base / "model.safetensors").items():
            self.assertTrue(torch.equal(theirs[name], tensor), name)

    def test_zip_legacy_and_tied(self):
        for name, options in (("zip", {}), ("legacy", {"_use_new_zipfile_serialization": False})):
            folder, state = self.variant(name)
            state["lm_head.weight"] = state["model.embed_tokens.weight"]  # one storage, as transformers 4 saved it
            torch.save(state, folder / "pytorch_model.bin", **options)
            self.check(folder)

    def test_shards(self):
        folder, state = self.variant("shards")
        names = sorted(state)
        files = {f"pytorch_model-0000{i + 1}-of-00003.bin": names[i::3] for i in range(3)}
        for file, part in files.items():
            torch.save({name: state[name] for name in part}, folder / file)
        index = {"metadata": {"total_size": 1}, "weight_map": {name: f for f, part in files.items() for name in part}}
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
        self.check(folder)

    def test_safetensors_win(self):
        folder, state = self.variant("both")
        shutil.copyfile(self.base / "model.safetensors", folder / "model.safetensors")
        torch.save({name: tensor + 1 for name, tensor in state.items()}, folder / "pytorch_model.bin")
        self.check(folder)

    def test_adapter(self):
        import peft
        model = peft.get_peft_model(hearth.load(PROSE), peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"],
                                                                        init_lora_weights=False))
        safe, old = self.folder / "adapter", self.folder / "adapter-bin"
        model.save_pretrained(safe)
        model.save_pretrained(old, safe_serialization=False)
        self.assertTrue((old / "adapter_model.bin").exists())
        losses = [hearth.evaluate(PROSE, self.data, folder, 64)["loss"] for folder in (safe, old)]
        self.assertEqual(losses[0], losses[1])


if __name__ == "__main__":
    unittest.main()
