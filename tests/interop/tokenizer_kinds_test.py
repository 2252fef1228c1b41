# SPDX-License-Identifier: Apache-2.0
"""Every kind of tokenizer.json that published models use against the real tokenizers library: the same ids, the same
text. The files are built here, in the forms that those models' files have, and trained on generated text.

HEARTH_BUILD names the folder with hearth_tokenize; HEARTH_TOKENIZER_STRINGS says how many strings a kind gets; --long gives each 100,000.
Trainers that break ties by hash order give another vocabulary in every run, so what they gave once lies in tests/assets/vocabularies;
HEARTH_UPDATE_VOCABULARIES=1 trains them again.
"""
import base64
import io
import json
import os
import random
import unittest

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto
from tokenizer_oracle import ROOT, SCRIPTS, STRINGS, TokenizerCase, hearth, read, strings
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

PROSE = os.path.join(ROOT, "assets", "prose-14m", "tokenizer.json")
VOCABULARIES = os.path.join(ROOT, "tests", "assets", "vocabularies")
UPDATE = "HEARTH_UPDATE_VOCABULARIES" in os.environ
META = "▁"

# Patterns as the files of these models have them.
CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS = {
    "llama3": CL100K,
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "qwen2": CL100K.replace("{1,3}", ""),
    "o200k": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "kimi": (
        r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
        r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "bloom": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "deepseek3": (
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
        "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    ),
}


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior=behavior, invert=invert)


def bytes_behind(*steps):
    return pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def chars_of(precompiled_by="nmt_nfkc"):
    """sentencepiece's own character map, as base64: what Precompiled holds."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["hello world"] * 20), model_writer=model, vocab_size=30, hard_vocab_limit=False,
        normalization_rule_name=precompiled_by, minloglevel=2)
    parsed = proto.ModelProto()
    parsed.ParseFromString(model.getvalue())
    return base64.b64encode(parsed.normalizer_spec.precompiled_charsmap).decode()


def metaspace(**options):
    return pre_tokenizers.Metaspace(replacement=META, **options)


class TokenizerKinds(TokenizerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.training = strings(500, 1500) + read(os.path.join(ROOT, "assets", "tinyshakespeare.txt")).split("\n")[:2000]

    def check(self, name, real, extra=(), count=STRINGS):
        """Writes real to a file, and compares the file as both libraries read it."""
        path = self.save(name + ".json", real) if isinstance(real, Tokenizer) else None
        if path is None:
            path = os.path.join(self.folder(name, {"tokenizer.json": real}), "tokenizer.json")
        seed = sum(map(ord, name))
        self.compare(path, Tokenizer.from_file(path), strings(seed, count, extra), seed)

    def trained(self, model, trainer, normalizer=None, pre_tokenizer=None, decoder=None, processor=None, stored=None):
        """stored: the name of the vocabulary's file, where the trainer's result is not the same in every run."""
        real = Tokenizer(model)
        if normalizer:
            real.normalizer = normalizer
        if pre_tokenizer:
            real.pre_tokenizer = pre_tokenizer
        if not stored or UPDATE:
            real.train_from_iterator(self.training, trainer)
        if stored:
            real = self.stored(stored, real)
        if decoder:
            real.decoder = decoder
        if processor:
            real.post_processor = processor
        return real

    def stored(self, name, trained):
        """The steps of trained with the model and the special tokens of the vocabulary's file."""
        path = os.path.join(VOCABULARIES, name + ".json")
        steps = json.loads(trained.to_str())
        if UPDATE:
            with open(path, "w", encoding="utf-8") as out:
                json.dump({key: steps[key] for key in ("added_tokens", "model")}, out, ensure_ascii=False, separators=(",", ":"))
                out.write("\n")
        return Tokenizer.from_str(json.dumps(dict(steps, **json.loads(read(path)))))

    def byte_level(self, pre_tokenizer, normalizer=None, **options):
        trainer = trainers.BpeTrainer(vocab_size=1200, special_tokens=["<|begin|>", "<|end|>"], show_progress=False,
                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
        return self.trained(models.BPE(**options), trainer, normalizer, pre_tokenizer, decoders.ByteLevel(),
                            processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", 0)]))

    # ---- BPE

    def test_byte_level_models(self):
        plain = pre_tokenizers.ByteLevel
        deepseek1 = bytes_behind(
            split(r"[\r\n]"),
            split("\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕ]+"),
            split("\\s?[!-/:-~！-／：-～‘-‟　-。]+"), split("\\s+$"), split("[一-龥ࠀ-一가-퟿]+"), pre_tokenizers.Digits(True))
        deepseek3 = bytes_behind(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(PATTERNS["deepseek3"]))
        falcon = pre_tokenizers.Sequence(
            [pre_tokenizers.Punctuation("contiguous"), plain(add_prefix_space=False), pre_tokenizers.Digits(), split("[0-9][0-9][0-9]")])
        kinds = {
            "gpt2": (plain(add_prefix_space=False), None),
            "opt_prefix_space": (plain(), None),
            "olmo_nfc": (plain(add_prefix_space=False), normalizers.NFC()),
            "starcoder": (pre_tokenizers.Sequence([pre_tokenizers.Digits(True), plain(add_prefix_space=False)]), None),
            "command_r": (pre_tokenizers.Sequence([pre_tokenizers.Digits(True), plain(add_prefix_space=False)]), normalizers.NFC()),
            "falcon": (falcon, None),
            "deepseek1": (deepseek1, None),
            "deepseek3": (deepseek3, None),
            "byte_normalizer": (None, normalizers.ByteLevel()),
        }
        for name in ("llama3", "cl100k", "qwen2", "o200k", "kimi", "bloom"):
            kinds[name] = (bytes_behind(split(PATTERNS[name])), normalizers.NFC() if name == "qwen2" else None)
        for name, (pre, normalizer) in kinds.items():
            with self.subTest(kind=name):
                self.check(name, self.byte_level(pre, normalizer, ignore_merges=name == "llama3"), count=STRINGS // 3)

    def test_roberta(self):
        real = self.byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
        for i, processor in enumerate(
            [processors.RobertaProcessing(("<|end|>", 1), ("<|begin|>", 0)), processors.BertProcessing(("<|end|>", 1), ("<|begin|>", 0)),
             processors.Sequence([processors.ByteLevel(), processors.RobertaProcessing(("<|end|>", 1), ("<|begin|>", 0))]),
             processors.Sequence([processors.BertProcessing(("<|end|>", 1), ("<|begin|>", 0)),
                                  processors.TemplateProcessing(single="<|end|> $A <|begin|>", special_tokens=[("<|begin|>", 0), ("<|end|>", 1)])])]):
            real.post_processor = processor
            with self.subTest(i=i):
                self.check(f"roberta{i}", real, count=STRINGS // 10)

    def test_clip(self):
        words = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
        trainer = trainers.BpeTrainer(vocab_size=1200, special_tokens=["<|startoftext|>", "<|endoftext|>"], show_progress=False,
                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), end_of_word_suffix="</w>")
        normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
        real = self.trained(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"), trainer, normalizer,
                            bytes_behind(split(words, "removed", True)), decoders.ByteLevel(),
                            processors.RobertaProcessing(("<|endoftext|>", 1), ("<|startoftext|>", 0)), "clip")
        self.check("clip", real)

    def test_suffix_and_prefix(self):
        for name, options in {"openai_gpt": {"end_of_word_suffix": "</w>"}, "prefixed": {"continuing_subword_prefix": "##"},
                              "both": {"continuing_subword_prefix": "@", "end_of_word_suffix": "</w>", "fuse_unk": True}}.items():
            special = {key: value for key, value in options.items() if key != "fuse_unk"}
            trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=["<unk>"], show_progress=False, limit_alphabet=120, **special)
            real = self.trained(models.BPE(unk_token="<unk>", **options), trainer, normalizers.BertNormalizer(),
                                pre_tokenizers.BertPreTokenizer(), decoders.BPEDecoder("</w>"), stored=name)
            with self.subTest(kind=name):
                self.check(name, real, count=STRINGS // 2)

    def test_gemma(self):
        data = json.loads(read(PROSE))
        data["normalizer"] = {"type": "Replace", "pattern": {"String": " "}, "content": META}
        data["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
        data["decoder"] = {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": META}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]}
        self.check("gemma", data)

    # ---- WordPiece and WordLevel

    def bert(self, **flags):
        trainer = trainers.WordPieceTrainer(vocab_size=1500, limit_alphabet=300, show_progress=False,
                                            special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
        real = self.trained(models.WordPiece(unk_token="[UNK]"), trainer, normalizers.BertNormalizer(lowercase=False, strip_accents=False),
                            pre_tokenizers.BertPreTokenizer(), decoders.WordPiece(),
                            processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]), "word_piece")
        real.normalizer = normalizers.BertNormalizer(**flags)
        return real

    def test_bert(self):
        for i in range(8):
            flags = {"clean_text": i % 2 == 0, "handle_chinese_chars": i % 4 < 2, "lowercase": i < 4, "strip_accents": [None, True, False][i % 3]}
            with self.subTest(**flags):
                self.check(f"bert{i}", self.bert(**flags), ["[MASK]", "[SEP]"], STRINGS if i == 0 else STRINGS // 10)

    def test_word_piece_limits(self):
        data = json.loads(self.bert().to_str())
        data["model"]["max_input_chars_per_word"] = 5
        data["decoder"]["cleanup"] = False
        data["model"].pop("type")  # as old files have it
        self.check("short_words", data, count=STRINGS // 4)

    def test_word_level(self):
        for i, pre in enumerate([pre_tokenizers.Whitespace(), pre_tokenizers.WhitespaceSplit(), pre_tokenizers.CharDelimiterSplit("e")]):
            trainer = trainers.WordLevelTrainer(vocab_size=1000, special_tokens=["<unk>"], show_progress=False)
            with self.subTest(i=i):
                self.check(f"word_level{i}", self.trained(models.WordLevel(unk_token="<unk>"), trainer, None, pre), count=STRINGS // 3)

    # ---- Unigram

    def unigram(self, normalizer, pre_tokenizer):
        trainer = trainers.UnigramTrainer(vocab_size=900, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False)
        real = Tokenizer(models.Unigram())
        real.normalizer, real.pre_tokenizer, real.decoder = normalizer, pre_tokenizer, decoders.Metaspace()
        if UPDATE:
            real.train_from_iterator(self.training[-2000:] + SCRIPTS, trainer)
        real = self.stored("unigram", real)
        real.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
        return real

    def test_unigram(self):
        charsmap = {"type": "Precompiled", "precompiled_charsmap": chars_of()}
        double_space = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
        strip = {"type": "Strip", "strip_left": False, "strip_right": True}
        albert = [{"type": "Replace", "pattern": {"String": "``"}, "content": '"'}, {"type": "NFKD"}, {"type": "StripAccents"},
                  {"type": "Lowercase"}, charsmap, double_space]
        space = lambda scheme, cut: {"type": "Metaspace", "replacement": META, "prepend_scheme": scheme, "split": cut}
        kinds = {
            "t5": ([charsmap], space("always", True)),
            "t5_new": ([charsmap, strip, dict(double_space, content=META)], space("always", True)),
            "xlm_roberta": ([charsmap], {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, space("always", True)]}),
            "albert": (albert, space("always", True)),
            "mbart": ([charsmap, double_space], space("first", True)),
            "uncut": ([charsmap], space("always", False)),
            "nmt": ([{"type": "Nmt"}, {"type": "NFKC"}, double_space], space("always", True)),
        }
        base = json.loads(self.unigram(normalizers.NFKC(), metaspace()).to_str())
        for name, (normalizer, pre) in kinds.items():
            data = dict(base, normalizer={"type": "Sequence", "normalizers": normalizer}, pre_tokenizer=pre)
            with self.subTest(kind=name):
                self.check(name, data, ["</s>", "``"], STRINGS if name == "t5" else STRINGS // 3)

    def test_unigram_bytes(self):
        data = json.loads(self.unigram(normalizers.NFC(), metaspace(split=False)).to_str())
        data["model"]["vocab"] += [[f"<0x{byte:02X}>", 0.0] for byte in range(256)]
        data["model"]["byte_fallback"] = True
        data["decoder"] = {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": META}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
        self.check("unigram_bytes", data)
        rng = random.Random(3)
        for entry in data["model"]["vocab"]:  # some texts twice, some scores equal
            entry[1] = -float(rng.randrange(1, 12))
        data["model"]["vocab"] += [[text, -rng.random() * 9] for text, _ in rng.sample(data["model"]["vocab"][3:600], 60)]
        self.check("unigram_twice", data, count=STRINGS // 3)

    def test_unigram_model_file(self):
        """tokenizer.model of type unigram, against sentencepiece itself on texts without special tokens."""
        texts = [text for text in strings(900, STRINGS, ["½", "ﬁ"]) if META not in text and "<" not in text and "\0" not in text]
        for i, options in enumerate([{}, {"byte_fallback": True}, {"normalization_rule_name": "identity", "remove_extra_whitespaces": False},
                                     {"add_dummy_prefix": False, "normalization_rule_name": "nmt_nfkc_cf"}]):
            model = io.BytesIO()
            sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(self.training[-2000:] + SCRIPTS), model_writer=model,
                                                     vocab_size=700, minloglevel=2, **options)
            path = os.path.join(self.folder(f"spm{i}", {}), "tokenizer.model")
            with open(path, "wb") as out:
                out.write(model.getvalue())
            real = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
            got = hearth(path, [{"text": text, "add_special": False} for text in texts])
            wrong = [(text, real.encode(text), g["ids"]) for text, g in zip(texts, got) if real.encode(text) != g["ids"]]
            with self.subTest(**options):
                self.assertEqual(wrong[:1], [], f"{len(wrong)} of {len(texts)} differ")

    # ---- folders without a tokenizer.json

    def test_vocabulary_folders(self):
        bpe = json.loads(self.byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False)).to_str())["model"]
        words = json.loads(self.bert().to_str())["model"]["vocab"]
        merges = "#version: 0.2\n" + "".join(" ".join(merge) + "\n" for merge in bpe["merges"])
        more = ["<|endoftext|>", "<s>", "</s>", "<unk>", "<pad>", "<mask>"]
        vocab = dict(bpe["vocab"], **{token: len(bpe["vocab"]) + i for i, token in enumerate(more)})
        kinds = [
            {"tokenizer_class": "GPT2Tokenizer"}, {"tokenizer_class": "GPT2TokenizerFast", "add_prefix_space": True},
            {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "bos_token": "<s>", "eos_token": "</s>"},
            {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "add_eos_token": True, "pad_token": "<new>"},
            {"tokenizer_class": "Qwen2Tokenizer", "extra_special_tokens": ["<|im_start|>"]}, {"tokenizer_class": "RobertaTokenizer"},
            {"tokenizer_class": "BartTokenizer"}, {"tokenizer_class": "CodeGenTokenizer"}, {"tokenizer_class": "BertTokenizer"},
            {"tokenizer_class": "BertTokenizerFast", "do_lower_case": False, "tokenize_chinese_chars": False},
            {"tokenizer_class": "DistilBertTokenizer", "strip_accents": False},
        ]
        for i, config in enumerate(kinds):
            files = {"vocab.json": vocab, "tokenizer_config.json": config}
            if "Bert" in config["tokenizer_class"]:
                files.pop("vocab.json")
            path = self.folder(f"vocabulary{i}", files)
            text = merges if "vocab.json" in files else "".join(word + "\n" for word in sorted(words, key=words.get))
            with open(os.path.join(path, "merges.txt" if "vocab.json" in files else "vocab.txt"), "w", encoding="utf-8") as out:
                out.write(text)
            real = AutoTokenizer.from_pretrained(path).backend_tokenizer
            with self.subTest(config=config):
                self.compare(path, real, strings(700 + i, STRINGS // 6, [*more, "<|im_start|>", "[MASK]"]), i)

    # ---- single steps: a model whose tokens are characters and bytes shows what they leave

    def shown(self, normalizer=None, pre_tokenizer=None):
        """Characters are tokens. A mark in front of each word shows where a pre-tokenizer cuts."""
        pre = [pre_tokenizer, metaspace()] if pre_tokenizer else []
        data = json.loads(read(PROSE))
        data["model"]["merges"] = []
        real = Tokenizer.from_str(json.dumps(dict(data, normalizer=None, pre_tokenizer=None)))
        if normalizer:
            real.normalizer = normalizer
        if pre:
            real.pre_tokenizer = pre_tokenizers.Sequence(pre)
        return real

    def test_normalizers(self):
        N = normalizers
        steps = [N.NFC(), N.NFD(), N.NFKC(), N.NFKD(), N.Lowercase(), N.StripAccents(), N.Strip(), N.Strip(left=False), N.Strip(right=False),
                 N.Nmt(), N.Prepend("xy"), N.Replace("e", ""), N.Replace("he", "she he"), N.Replace(Regex(r"[aeiou]+\b"), "<v>"),
                 N.Replace(Regex(r"(?=\p{Lu})"), "^"), N.Replace(Regex(r"^"), "> "), N.Replace(Regex(r"$"), "<"), N.BertNormalizer(),
                 N.Precompiled(base64.b64decode(chars_of("nmt_nfkc_cf"))), N.ByteLevel(),
                 N.Sequence([N.NFKD(), N.StripAccents(), N.Lowercase(), N.Replace(Regex(r"\s+"), " "), N.Strip()])]
        for i, step in enumerate(steps):
            with self.subTest(step=str(step)[:80]):
                self.check(f"normalizer{i}", self.shown(step), count=STRINGS // 6)

    def test_metaspace_first_behind_normalizers(self):
        """Only a word that begins with the text's first character gets the mark: what is that once a text has changed?"""
        N = normalizers
        steps = [N.Strip(), N.Replace("T", "t"), N.Replace("he", "she"), N.Replace("  ", " "), N.Prepend("é"), N.NFD(), N.NFKC(), N.StripAccents(),
                 N.Replace(Regex("^.."), "ab"), N.Replace(Regex("^"), "> "), N.Sequence([N.Prepend("x "), N.Replace("x", "yy "), N.Lowercase()])]
        for i, step in enumerate(steps):
            real = self.shown(step)
            real.pre_tokenizer = pre_tokenizers.Sequence([split("[xyT ]", "merged_with_next"), metaspace(prepend_scheme="first")])
            real.add_tokens(["x", "yy", "the", "é"])
            with self.subTest(step=str(step)):
                self.check(f"first{i}", real, [" the", "  he", "xx"], STRINGS // 6)

    def test_pre_tokenizers(self):
        P = pre_tokenizers
        behaviors = ["isolated", "removed", "contiguous", "merged_with_previous", "merged_with_next"]
        steps = [P.Punctuation(b) for b in behaviors]
        steps += [P.Whitespace(), P.WhitespaceSplit(), P.BertPreTokenizer(), P.CharDelimiterSplit("e"), P.CharDelimiterSplit("é"),
                  P.UnicodeScripts(), P.Digits(True), P.Digits(False), P.FixedLength(3), P.ByteLevel(), P.ByteLevel(add_prefix_space=False)]
        steps += [P.Split(p, behavior=b, invert=i) for b in behaviors for i in (False, True) for p in (" ", Regex(r"\w+|\s"))]
        steps += [P.Sequence([P.Whitespace(), P.Punctuation("merged_with_next"), P.Digits(True)]), P.Sequence([P.WhitespaceSplit(), metaspace()])]
        for i, step in enumerate(steps):
            with self.subTest(step=str(step)):
                self.check(f"pre{i}", self.shown(pre_tokenizer=step), count=STRINGS // 10)

    def test_regular_expressions(self):
        """Oniguruma's dialect: what real files use, and what differs from PCRE2."""
        patterns = [*PATTERNS.values(), r"^a|b$", r"\s+$", r"^\s*", r"^", r"$", r"\bhe\b", r"\B.", r"[\w']+", r"[^\w\s]", r"\W+", r"\D", r"\d+", r"\h+", r"\S+",
                    r"[\S\n]", r"[^\S\n]+", r"[^\D5]", r"[a-f[x-z]]+", r"[a-z&&[^aeiou]]+", r"[^a-z&&[^aeiou]]+", r"[\p{L}&&\p{Lu}]", r"[[:digit:]_]+",
                    r"[[:^space:]]+", r"[[:punct:]]+", r"\p{^L}+", r"\P{L}+", r"[\P{L}]+", r"\p{Letter}+", r"\p{Greek}|\p{Han}", r"a{,2}b", r"x{2,3}",
                    r"a{2}|{|}", r"\u0065|\x{1F600}", r"[-a]+|[a-]", r"[a\-z]", r"[+--]", r"e?+.", r"(?>h|he)e", r"(?<=e) ", r"(?<! )e(?!r)", r"\R", r".\z",
                    r"(?i)the", r"(?i:ſ|K)", r"(?:\d{1,2}e?){1,2}+|\w{2}+", r"\p{Hiragana}+|\p{Katakana}+", r"[\t\v\f]", r"(\w)(\s)", r"[/\.\]]", r"\p{Space}+|\p{N}"]
        for i, pattern in enumerate(patterns):
            with self.subTest(pattern=pattern):
                self.check(f"regex{i}", self.shown(pre_tokenizer=split(pattern)), ["{2}", "aab\n", "\n\n"], STRINGS // 15)

    def test_decoders(self):
        D = decoders
        orders = [
            [D.WordPiece("▁")], [D.WordPiece("e", cleanup=False)], [D.BPEDecoder("▁")], [D.BPEDecoder("he")], [D.CTC("e", "▁")],
            [D.CTC("<pad>", "t", cleanup=False)], [D.Metaspace()], [D.Metaspace(prepend_scheme="never")], [D.Strip("▁", 1, 1)],
            [D.Replace(Regex("[▁e]+"), " ")], [D.Fuse(), D.Replace(Regex("[▁e]+"), " ")], [D.Fuse(), D.ByteFallback()],
            [D.ByteFallback(), D.ByteLevel()], [D.ByteLevel(), D.Metaspace()], [D.Fuse(), D.WordPiece("▁t")], [D.Fuse(), D.BPEDecoder("▁")],
            [D.Fuse(), D.CTC("e", "▁")], [D.Metaspace(), D.WordPiece("t"), D.Fuse(), D.Strip(" ", 2, 2)], [D.ByteFallback(), D.BPEDecoder("▁")],
            [D.CTC("a", "▁"), D.ByteFallback(), D.Fuse(), D.Replace("ee", "e")],
        ]
        for i, order in enumerate(orders):
            real = Tokenizer.from_file(PROSE)
            real.decoder = decoders.Sequence(order) if i % 2 else order[0] if len(order) == 1 else decoders.Sequence(order)
            with self.subTest(i=i):
                self.check(f"decoder{i}", real, count=STRINGS // 10)

    # ---- everything about single characters

    def test_every_character(self):
        """All 1.1 million code points, alone and behind a letter and a mark, through every step with a table."""
        N, P = normalizers, pre_tokenizers
        steps = [N.NFC(), N.NFD(), N.NFKC(), N.NFKD(), N.Lowercase(), N.StripAccents(), N.BertNormalizer(), N.Nmt(),
                 N.Precompiled(base64.b64decode(chars_of()))]
        pre = [P.Whitespace(), P.BertPreTokenizer(), P.Digits(True), P.UnicodeScripts(), split(CL100K), split(PATTERNS["o200k"])]
        codes = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF and (c < 0x33480 or c % 997 == 0 or 0xE0000 <= c < 0xE0200)]
        lines = [" ".join(f"{chr(c)} a{chr(c)}b ½{chr(c)} \u0345{chr(c)}\u0334" for c in codes[i : i + 64]) for i in range(0, len(codes), 64)]
        if STRINGS < 3000:
            lines = lines[:: 3000 // STRINGS]
        for i, step in enumerate(steps + pre):
            real = self.shown(step) if step in steps else self.shown(pre_tokenizer=step)
            path = self.save(f"every{i}.json", real)
            wanted = [{"ids": encoding.ids} for encoding in real.encode_batch(lines, add_special_tokens=False)]
            got = hearth(path, [{"text": line, "add_special": False, "decode": False} for line in lines])
            wrong = [line for line, w, g in zip(lines, wanted, got) if w["ids"] != g["ids"]]
            with self.subTest(step=str(step)[:100]):
                self.assertEqual(wrong[:1], [], f"{len(wrong)} of {len(lines)} lines differ")


if __name__ == "__main__":
    unittest.main()
