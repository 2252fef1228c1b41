# SPDX-License-Identifier: Apache-2.0
"""Hearth's tokenizer against the real ones: the same ids and the same text, on generated strings.

HEARTH_BUILD names the folder with hearth_tokenize. Run: HEARTH_BUILD=build python3 -m unittest tests/interop/tokenizer_test.py
"""
import json
import os
import random
import unittest

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizer_oracle import ROOT, STRINGS, TokenizerCase, hearth, read, strings
from transformers import AutoTokenizer, LlamaTokenizer

PROSE = os.path.join(ROOT, "assets", "prose-14m")
LLAMA2 = os.path.join(ROOT, "tests", "assets", "llama2.tokenizer.model")

LLAMA3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


class TokenizerInterop(TokenizerCase):
    # ---- the Llama family

    def test_new_dialect_folder(self):
        real = AutoTokenizer.from_pretrained(PROSE).backend_tokenizer
        self.compare(PROSE, real, strings(1, STRINGS))

    def test_old_dialect(self):
        old = self.old_dialect()
        path = self.folder("old", {"tokenizer.json": old})
        file = os.path.join(path, "tokenizer.json")
        self.compare(file, Tokenizer.from_file(file), strings(2, STRINGS))

    def test_llama2_model(self):
        # add_bos_token is given: without it, transformers 5.17 adds no <s>, against its own documentation.
        path = self.folder("llama2", {"tokenizer.model": LLAMA2, "tokenizer_config.json": {"add_bos_token": True}})
        real = LlamaTokenizer.from_pretrained(path).backend_tokenizer
        self.compare(path, real, strings(3, STRINGS))

    def test_prose_model_file_equals_its_json(self):
        real = AutoTokenizer.from_pretrained(PROSE).backend_tokenizer
        self.compare(os.path.join(PROSE, "tokenizer.model"), real, strings(4, STRINGS // 4))

    def test_legacy_and_eos_options(self):
        for i, config in enumerate(
            [
                {"legacy": True, "add_bos_token": True, "add_eos_token": True},
                {"add_prefix_space": False, "add_bos_token": False, "add_eos_token": True},
                {"add_bos_token": True, "pad_token": "[PAD]", "extra_special_tokens": ["<tool>", "▁the"]},
                {
                    "add_bos_token": True,
                    "bos_token": {"__type": "AddedToken", "content": "<s>", "lstrip": True, "rstrip": True, "normalized": True,
                                  "single_word": True},
                    "added_tokens_decoder": {
                        "0": {"content": "<unk>", "normalized": True, "special": True},
                        "32000": {"content": "<tool>", "lstrip": True, "normalized": False, "special": False},
                    },
                },
            ]
        ):
            config["tokenizer_class"] = "LlamaTokenizer"
            path = self.folder(f"options{i}", {"tokenizer.model": LLAMA2, "tokenizer_config.json": config})
            real = LlamaTokenizer.from_pretrained(path).backend_tokenizer
            with self.subTest(config=config):
                self.compare(path, real, strings(5 + i, STRINGS // 8, ["[PAD]", " [PAD] ", " <s> "]))

    def test_config_beside_json(self):
        for i, config in enumerate(
            [{"add_bos_token": False, "add_eos_token": True}, {"pad_token": "<pad>"}, {"add_bos_token": True, "add_eos_token": False}]
        ):
            config.update(tokenizer_class="PreTrainedTokenizerFast", bos_token="<s>", eos_token="</s>")
            file = os.path.join(PROSE, "tokenizer.json")
            path = self.folder(f"beside{i}", {"tokenizer.json": file, "tokenizer_config.json": config})
            real = AutoTokenizer.from_pretrained(path).backend_tokenizer
            with self.subTest(config=config):
                self.compare(path, real, strings(15 + i, STRINGS // 8, ["<pad>"]))

    def test_invalid_utf8(self):
        real = Tokenizer.from_file(os.path.join(PROSE, "tokenizer.json"))
        rng = random.Random(6)
        pieces = [b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\x80", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"a", b" ",
                  "é😀▁".encode(), b"<s>", b"\xf5", b"\xe0\x80\x80"]
        texts = [b"".join(rng.choice(pieces) for _ in range(rng.randrange(1, 9))) for _ in range(1000)]
        got = hearth(os.path.join(PROSE, "tokenizer.json"), [{"hex": text.hex()} for text in texts])
        for text, answer in zip(texts, got):
            self.assertEqual(answer["ids"], real.encode(text.decode("utf-8", errors="replace")).ids, text)

    def test_long_texts(self):
        path = os.path.join(PROSE, "tokenizer.json")
        shakespeare = read(os.path.join(ROOT, "assets", "tinyshakespeare.txt"))
        rng = random.Random(7)
        texts = [shakespeare, shakespeare.replace(" ", "").replace("\n", "")[:200000], "a" * 100000, "\n" * 50000, " " * 50000,
                 "".join(rng.choice("ethaniors") for _ in range(100000)), "日" * 30000]
        self.compare(path, Tokenizer.from_file(path), [t for text in texts for t in (text, text)])

    # ---- other forms of tokenizer.json

    def old_dialect(self):
        """What transformers 4 wrote for the same vocabulary."""
        data = json.loads(read(os.path.join(PROSE, "tokenizer.json")))
        data["normalizer"] = {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            ],
        }
        data["pre_tokenizer"] = None
        data["model"]["unk_token"] = "<unk>"
        data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]
        return data

    def test_added_token_flags(self):
        rng = random.Random(8)
        for i in range(16):
            data = self.old_dialect() if i % 2 else json.loads(read(os.path.join(PROSE, "tokenizer.json")))
            file = self.folder(f"flags{i}", {"tokenizer.json": data})
            real = Tokenizer.from_file(os.path.join(file, "tokenizer.json"))
            words = ["<tool>", "the", "▁the", "ab", "abc", " x", "x ", "é", "\n\n", "<|end|>", "  ", "tool"]
            rng.shuffle(words)
            for word in words[:7]:
                flag = lambda: rng.random() < 0.4
                token = AddedToken(word, single_word=flag(), lstrip=flag(), rstrip=flag(), normalized=flag())
                real.add_special_tokens([token]) if flag() else real.add_tokens([token])
            path = self.save(f"flags{i}.json", real)
            with self.subTest(words=words[:7]):
                self.compare(path, Tokenizer.from_file(path), strings(20 + i, STRINGS // 8, words), seed=i)

    def test_unknown_characters(self):
        rng = random.Random(9)
        for i, fuse in enumerate([True, False, True, False]):
            data = self.old_dialect()
            vocab = data["model"]["vocab"]
            for token in list(vocab):  # no byte tokens, or only some
                if token.startswith("<0x") and (i < 2 or rng.random() < 0.3):
                    vocab["gone" + token] = vocab.pop(token)
            data["model"]["fuse_unk"] = fuse
            if i == 3:
                data["model"]["unk_token"] = None
            file = os.path.join(self.folder(f"unknown{i}", {"tokenizer.json": data}), "tokenizer.json")
            with self.subTest(i=i):
                self.compare(file, Tokenizer.from_file(file), strings(40 + i, STRINGS // 4))

    def byte_level(self, pre_tokenizer, normalizer=None, ignore_merges=False):
        real = Tokenizer(models.BPE(ignore_merges=ignore_merges))
        real.pre_tokenizer = pre_tokenizer
        if normalizer:
            real.normalizer = normalizer
        real.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=1500, special_tokens=["<|begin|>", "<|end|>"], show_progress=False,
                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
        real.train_from_iterator(strings(50, 3000), trainer)
        real.post_processor = processors.Sequence(
            [
                processors.ByteLevel(trim_offsets=False),
                processors.TemplateProcessing(single="<|begin|> $A", pair="<|begin|> $A <|begin|>:1 $B:1", special_tokens=[("<|begin|>", 0)]),
            ]
        )
        return real

    def test_llama3_form(self):
        pre = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(LLAMA3_WORDS), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        for name, normalizer, ignore in [("llama3", None, True), ("qwen", normalizers.NFC(), False)]:
            with self.subTest(name=name):
                path = self.save(f"{name}.json", self.byte_level(pre, normalizer, ignore))
                self.compare(path, Tokenizer.from_file(path), strings(51, STRINGS))

    def test_ignored_merges_are_ignored(self):
        pre = pre_tokenizers.ByteLevel(add_prefix_space=False)
        data = json.loads(self.byte_level(pre, None, True).to_str())
        data["model"]["merges"] = data["model"]["merges"][:300]  # whole words are tokens that no merge reaches
        file = os.path.join(self.folder("ignored", {"tokenizer.json": data}), "tokenizer.json")
        self.compare(file, Tokenizer.from_file(file), strings(52, STRINGS // 4))

    def test_pre_tokenizers(self):
        behaviors = ["isolated", "removed", "contiguous", "merged_with_previous", "merged_with_next"]
        steps = [pre_tokenizers.Split(p, behavior=b, invert=i) for b in behaviors for i in (False, True) for p in ("e", Regex(r"\p{N}|\s+"))]
        steps += [pre_tokenizers.Digits(individual_digits=i) for i in (False, True)]
        steps += [pre_tokenizers.Split(Regex(r"(?=\p{Lu})"), behavior=b) for b in behaviors]  # matches that are empty
        for i, step in enumerate(steps):
            pre = pre_tokenizers.Sequence([step, pre_tokenizers.ByteLevel(add_prefix_space=i % 2 == 0, use_regex=i % 3 == 0)])
            path = self.save(f"pre{i}.json", self.byte_level(pre))
            with self.subTest(step=str(step)):
                self.compare(path, Tokenizer.from_file(path), strings(60 + i, STRINGS // 40))

    def test_metaspace_schemes(self):
        data = json.loads(read(os.path.join(PROSE, "tokenizer.json")))
        i = 0
        for scheme in ("first", "always", "never"):
            for split in (True, False):
                for decoder in (data["decoder"], {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}, None):
                    data["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}
                    changed = dict(data, decoder=decoder)
                    file = os.path.join(self.folder(f"meta{i}", {"tokenizer.json": changed}), "tokenizer.json")
                    i += 1
                    with self.subTest(scheme=scheme, split=split, decoder=decoder):
                        self.compare(file, Tokenizer.from_file(file), strings(80 + i, STRINGS // 20))

    def test_decoder_orders(self):
        replace = decoders.Replace("▁", " ")
        orders = [
            [replace, decoders.Fuse(), decoders.Strip(" ", 2, 0)],
            [decoders.Fuse(), decoders.Replace("he", "HE"), decoders.Replace("▁", " ")],
            [decoders.Strip("▁", 1, 0), decoders.ByteFallback(), decoders.Fuse()],
            [decoders.ByteFallback(), decoders.Fuse(), decoders.Replace("abab", "x")],
            [replace],
            [decoders.ByteFallback(), decoders.Metaspace()],
        ]
        for i, order in enumerate(orders):
            real = Tokenizer.from_file(os.path.join(PROSE, "tokenizer.json"))
            real.decoder = decoders.Sequence(order)
            path = self.save(f"decoder{i}.json", real)
            with self.subTest(i=i):
                self.compare(path, Tokenizer.from_file(path), strings(90 + i, STRINGS // 10))


if __name__ == "__main__":
    unittest.main()
