#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generation against the real transformers: what may be drawn after every processor, penalties, stop texts, beams with their
scores, log-probabilities, the defaults of generation_config.json; batches of prompts for families with windows, ALiBi,
learned positions and angles that depend on the length."""
import json
import math
import os
import pathlib
import shutil
import subprocess
import unittest

import families_test
import hearth_program as hearth
import torch
import transformers
from hearth_program import PROSE

SAMPLING = pathlib.Path(os.environ.get("HEARTH_BUILD", hearth.ROOT / "build")) / "hearth_sampling"
PROMPTS = ["The night was dark, and", "My lord,", "He said that it was the best of all the days of his life, and that",
           "\"No,\" said she,", "On the road to the town there was a man who had come from the sea, and he"]
FAMILIES = ["llama", "gemma2", "gemma3_text", "gpt2", "bloom", "falcon, as RW", "opt", "mistral", "phi", "qwen2_moe",
            "phi3, longrope, crosses", "llama dynamic, grows"]
TOKENS = 12


def setUpModule():
    hearth.need_program()
    torch.manual_seed(0)


def load_drawn_from(cases):
    """What hearth may draw for each case: [{id: probability}]."""
    done = subprocess.run([SAMPLING], input="".join(json.dumps(case) + "\n" for case in cases), capture_output=True,
                          text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return [dict(json.loads(line)) for line in done.stdout.splitlines()]


def processors(model, config, ids, ends):
    """transformers' own list of processors for a configuration."""
    generation = transformers.GenerationConfig(**config, eos_token_id=ends, pad_token_id=0, max_length=1000)
    generation._eos_token_tensor = torch.tensor(ends)
    return model._get_logits_processor(generation, input_ids_seq_length=ids, device="cpu",
                                       logits_processor=transformers.LogitsProcessorList())


def generate(model, ids, **options):
    """transformers' generate for one prompt of token ids."""
    ids = torch.tensor([ids])
    with torch.inference_mode():
        return model.generate(ids, attention_mask=torch.ones_like(ids), pad_token_id=0, return_dict_in_generate=True,
                              output_scores=True, **options)


class Distributions(hearth.HearthTest):
    CONFIGS = [
        {"temperature": 0.7}, {"temperature": 1.9, "top_k": 7}, {"top_p": 0.6}, {"top_p": 0.97, "temperature": 1.3},
        {"min_p": 0.05}, {"min_p": 0.3, "temperature": 1.5}, {"typical_p": 0.3}, {"typical_p": 0.9},
        {"top_k": 20, "top_p": 0.8, "min_p": 0.1, "typical_p": 0.7, "temperature": 0.9},
        {"repetition_penalty": 1.4}, {"repetition_penalty": 0.8}, {"no_repeat_ngram_size": 2},
        {"no_repeat_ngram_size": 1}, {"no_repeat_ngram_size": 3, "repetition_penalty": 1.2},
        {"min_new_tokens": 50}, {"suppress_tokens": [3, 5, 7]}, {"begin_suppress_tokens": [1, 2]},
        {"bad_words_ids": [[4], [9, 6], [1, 2, 3]]}, {"sequence_bias": [[[3], 2.5], [[9, 6], -4.0]]},
        {"repetition_penalty": 1.3, "top_p": 0.9, "min_p": 0.02, "sequence_bias": [[[2], 5.0]], "temperature": 0.8,
         "no_repeat_ngram_size": 2, "suppress_tokens": [0]},
    ]

    def test_what_may_be_drawn(self):
        model = hearth.load(PROSE)
        cases, wanted = [], []
        for number, settings in enumerate(self.CONFIGS):
            for seed in range(12):
                torch.manual_seed(100 * number + seed)
                vocab = 40 if seed % 3 else 400
                logits = torch.randn(1, vocab) * (1 + seed % 4)
                ids = torch.randint(0, 12, (1, 20))
                ids[0, -1] = [9, 2, 5][seed % 3]
                prompt = 20 if "begin_suppress_tokens" in settings and seed % 2 else 14
                config = {"do_sample": True, "top_k": 0} | settings
                cases.append({"logits": logits[0].tolist(), "ids": ids[0].tolist(), "prompt_tokens": prompt,
                              "ends": [8, 11], "config": config})
                theirs = processors(model, config, prompt, [8, 11])(ids, logits.clone())
                wanted.append(theirs.double().softmax(-1)[0])
        for case, ours, theirs in zip(cases, load_drawn_from(cases), wanted):
            with self.subTest(str(case["config"])):
                self.assertEqual(sorted(ours), theirs.nonzero()[:, 0].tolist())
                for token, share in ours.items():
                    self.assertLess(abs(share - theirs[token].item()), 1e-5)  # transformers divides in f32

    def test_penalties_of_the_answer_are_openai_s(self):
        """mu[j] - count[j] * frequency - (count[j] > 0) * presence, over the answer."""
        logits, ids = torch.randn(30), [1, 2, 3, 4, 5, 5, 6]
        case = {"logits": logits.tolist(), "ids": ids, "prompt_tokens": 3, "ends": [], "config": {
            "do_sample": True, "top_k": 0, "presence_penalty": 0.7, "frequency_penalty": 0.4}}
        for token in (4, 6):
            logits[token] -= 1.1
        logits[5] -= 1.5
        theirs = logits.double().softmax(-1)
        for token, share in load_drawn_from([case])[0].items():
            self.assertLess(abs(share - theirs[token].item()), 1e-6)


class Prose(hearth.HearthTest):
    """The small real model."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = hearth.load(PROSE)
        cls.words = hearth.tokenizer(PROSE)

    def ours(self, prompt, *flags, model=PROSE):
        return hearth.succeed_json("generate", "--model", model, "--prompt", prompt, *flags)

    def theirs(self, prompt, **options):
        ids = self.words.encode(prompt).ids
        out = generate(self.model, ids, **options)
        return [row[len(ids):].tolist() for row in out.sequences], out

    def test_greedy_with_penalties(self):
        for flags, options in ((("--repetition-penalty", 1.3), {"repetition_penalty": 1.3}),
                               (("--no-repeat-ngram", 2), {"no_repeat_ngram_size": 2}),
                               (("--repetition-penalty", 0.9, "--no-repeat-ngram", 4),
                                {"repetition_penalty": 0.9, "no_repeat_ngram_size": 4}),
                               (("--logit-bias", "41:-inf,4041:-3,262:1.5"),
                                {"sequence_bias": [[[41], -math.inf], [[4041], -3.0], [[262], 1.5]]})):
            for prompt in PROMPTS[:3]:
                with self.subTest(f"{flags} {prompt}"):
                    ours = self.ours(prompt, "--max-tokens", 40, *flags)["token_ids"]
                    theirs, _ = self.theirs(prompt, do_sample=False, max_new_tokens=40, **options)
                    self.assertEqual(ours, [i for i in theirs[0] if i != 2])

    def test_bad_words(self):
        free = self.ours(PROMPTS[0], "--max-tokens", 30)["text"]
        word = [w for w in free.replace(",", " ").split() if w.isalpha()][1]
        self.assertIn(word, free)
        kept = self.ours(PROMPTS[0], "--max-tokens", 30, "--bad-words", word)["text"]
        self.assertNotIn(" " + word, kept)

    def test_stop_texts(self):
        tokenizer = transformers.AutoTokenizer.from_pretrained(PROSE)
        for prompt in PROMPTS[:3]:
            text = self.ours(prompt, "--max-tokens", 40)["text"]
            for begin, size in ((9, 3), (14, 7), (20, 2)):  # over token borders
                stop = text[begin:begin + size]
                with self.subTest(f"{prompt}: {stop!r}"):
                    ours = self.ours(prompt, "--max-tokens", 40, "--stop", stop, "--stop", "never there")
                    self.assertEqual(ours["text"], text[:text.index(stop)])
                    self.assertEqual((ours["stopped"], ours["stop_text"]), ("stop text", stop))
                    theirs, _ = self.theirs(prompt, do_sample=False, max_new_tokens=40, stop_strings=[stop],
                                            tokenizer=tokenizer)
                    # A byte token (here the newline) is certain text only when the next token does not go on with it.
                    late = 1 if stop.endswith("\n") else 0
                    self.assertEqual(ours["token_ids"][:len(theirs[0])], theirs[0])
                    self.assertLessEqual(len(ours["token_ids"]) - len(theirs[0]), late)

    def test_beams(self):
        for beams, answers, penalty, early, name, tokens in (
                (4, 2, 1.0, False, "heuristic", 20), (3, 3, 0.3, True, "full", 25), (5, 2, -1.0, "never", "never", 12),
                (2, 1, 2.0, "never", "never", 30), (6, 4, 0.0, False, "heuristic", 8)):
            for prompt in PROMPTS[:3]:
                with self.subTest(f"{beams} beams, {name}, {prompt}"):
                    ours = self.ours(prompt, "--max-tokens", tokens, "--beams", beams, "--samples", answers,
                                     "--length-penalty", penalty, "--early-stopping", name)
                    theirs, out = self.theirs(prompt, do_sample=False, num_beams=beams, num_return_sequences=answers,
                                              length_penalty=penalty, early_stopping=early, max_new_tokens=tokens)
                    self.assert_beams(ours, theirs, out)

    def assert_beams(self, ours, theirs, out):
        ours = ours.get("answers", [ours])
        self.assertEqual([a["token_ids"] for a in ours], [[i for i in row if i not in (0, 2)] for row in theirs])
        for answer, score in zip(ours, out.sequences_scores.tolist()):
            self.assertLess(abs(answer["score"] - score), 1e-4 * max(1, abs(score)))

    def test_beams_that_end(self):
        """Two end tokens that come early: finished beams of several lengths compete."""
        folder = self.folder / "ends"
        shutil.copytree(PROSE, folder)
        ends = [self.words.token_to_id(t) for t in (",", ".")]
        ends = [i for i in ends if i is not None] or [4041]
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [*ends, 4041, 2]}))
        for penalty, early, name in ((1.0, False, "heuristic"), (0.0, True, "full"), (1.5, "never", "never")):
            ours = self.ours(PROMPTS[0], "--max-tokens", 15, "--beams", 4, "--samples", 4, "--length-penalty", penalty,
                             "--early-stopping", name, model=folder)
            theirs, out = self.theirs(PROMPTS[0], do_sample=False, num_beams=4, num_return_sequences=4,
                                      eos_token_id=[*ends, 4041, 2], length_penalty=penalty, early_stopping=early,
                                      max_new_tokens=15)
            stripped = [[i for i in row if i not in (0, 2, 4041, *ends)] for row in theirs]
            self.assertEqual([a["token_ids"] for a in ours["answers"]], stripped)
            for answer, score in zip(ours["answers"], out.sequences_scores.tolist()):
                self.assertLess(abs(answer["score"] - score), 1e-4)

    def test_log_probabilities(self):
        ours = self.ours(PROMPTS[1], "--max-tokens", 6, "--logprobs", 5, "--temperature", 0.7, "--seed", 3)
        ids = self.words.encode(PROMPTS[1]).ids
        with torch.inference_mode():
            logits = self.model(torch.tensor([ids + ours["token_ids"]])).logits[0].double().log_softmax(-1)
        for place, entry in enumerate(ours["logprobs"]):
            row = logits[len(ids) - 1 + place]
            self.assertLess(abs(entry["logprob"] - row[entry["id"]].item()), 1e-4)
            self.assertEqual(entry["token"], self.words.id_to_token(entry["id"]))
            best = row.topk(5)
            self.assertEqual([t["id"] for t in entry["top"]], best.indices.tolist())
            for t, value in zip(entry["top"], best.values.tolist()):
                self.assertLess(abs(t["logprob"] - value), 1e-4)

    def test_messages_are_written_by_the_template(self):
        folder = self.folder / "messages"
        shutil.copytree(PROSE, folder)
        (folder / "chat_template.jinja").write_text(
            "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
            "{% if add_generation_prompt %}assistant:{% endif %}")
        messages = [{"role": "user", "content": "Who is there?"}, {"role": "assistant", "content": "I am."},
                    {"role": "user", "content": "Come in, then."}]
        (self.folder / "messages.jsonl").write_text(json.dumps({"messages": messages}))
        ours = hearth.succeed_json("generate", "--model", folder, "--prompts", self.folder / "messages.jsonl",
                                   "--max-tokens", 15)["answers"][0]
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        theirs = generate(self.model, ids, do_sample=False, max_new_tokens=15).sequences[0, len(ids):].tolist()
        self.assertEqual(ours["token_ids"], [i for i in theirs if i != 2])

    def test_drawn_shares(self):
        """Many samples of one token follow transformers' filtered distribution."""
        ours = self.ours(PROMPTS[0], "--max-tokens", 1, "--samples", 4000, "--batch-size", 64, "--temperature", 0.9,
                         "--top-k", 6, "--min-p", 0.05)
        ids = torch.tensor([self.words.encode(PROMPTS[0]).ids])
        with torch.inference_mode():
            logits = self.model(ids).logits[:, -1]
        config = {"do_sample": True, "temperature": 0.9, "top_k": 6, "min_p": 0.05}
        wanted = processors(self.model, config, ids.shape[1], [2])(ids, logits.float()).softmax(-1)[0]
        counts = torch.zeros_like(wanted)
        for answer in ours["answers"]:
            counts[answer["token_ids"][0] if answer["token_ids"] else 2] += 1
        for token in wanted.nonzero()[:, 0].tolist() + counts.nonzero()[:, 0].tolist():
            p = wanted[token].item()
            self.assertLess(abs(counts[token].item() / 4000 - p), 5 * math.sqrt(p * (1 - p) / 4000) + 1e-9, token)

    def test_defaults_of_the_model(self):
        folder = self.folder / "defaults"
        shutil.copytree(PROSE, folder)
        config = {"eos_token_id": 2, "repetition_penalty": 1.5, "no_repeat_ngram_size": 3, "max_new_tokens": 17,
                  "suppress_tokens": [4041], "penalty_alpha": 0.6}
        (folder / "generation_config.json").write_text(json.dumps(config))
        said = hearth.run("generate", "--model", folder, "--prompt", PROMPTS[0], "--json")
        theirs, _ = self.theirs(PROMPTS[0], do_sample=False, repetition_penalty=1.5, no_repeat_ngram_size=3,
                                max_new_tokens=17, suppress_tokens=[4041])
        self.assertEqual(json.loads(said.stdout)["token_ids"], [i for i in theirs[0] if i != 2])
        for word in ("--repetition-penalty 1.5", "--max-tokens 17", "1 biased", "ignored 'penalty_alpha'"):
            self.assertIn(word, said.stderr)
        plain = self.ours(PROMPTS[0], "--max-tokens", 17)["token_ids"]
        self.assertEqual(self.ours(PROMPTS[0], "--max-tokens", 17, "--no-model-defaults", model=folder)["token_ids"], plain)
        (folder / "generation_config.json").write_text(json.dumps({"do_sample": True, "temperature": 1.5}))
        drawn = self.ours(PROMPTS[0], "--max-tokens", 17, model=folder)["token_ids"]
        self.assertEqual(drawn, self.ours(PROMPTS[0], "--max-tokens", 17, "--temperature", 1.5, "--top-k",
                                          50)["token_ids"])
        self.assertEqual(self.ours(PROMPTS[0], "--max-tokens", 17, "--temperature", 0, model=folder)["token_ids"], plain)


class Batches(hearth.HearthTest):
    """Prompts of different lengths together, per family."""

    def compare(self, name):
        model_type, settings = families_test.MODELS[name]
        folder = self.folder / "".join(c for c in name if c.isalnum())
        model = families_test.make_model(folder, model_type, settings, len(name))
        path = self.folder / "prompts.jsonl"
        path.write_text("".join(json.dumps({"prompt": p}) + "\n" for p in PROMPTS))
        words = ("generate", "--model", folder, "--prompts", path, "--ignore-eos", "--max-tokens", TOKENS)
        together = hearth.succeed_json(*words)["answers"]
        narrow = hearth.succeed_json(*words, "--batch-size", 2)["answers"]
        tokenizer = hearth.tokenizer(PROSE)
        whole = "grows" in name or "crosses" in name
        for prompt, ours, two in zip(PROMPTS, together, narrow):
            ids = torch.tensor([tokenizer.encode(prompt).ids])
            if whole:  # transformers' cache is not exact there (families_test.py): hearth alone, and without its cache
                flags = () if "grows" in name else ("--no-cache",)
                theirs = hearth.succeed_json("generate", "--model", folder, "--prompt", prompt, "--ignore-eos",
                                             "--max-tokens", TOKENS, *flags)["token_ids"]
            else:
                theirs = families_test.greedy_ids(model, ids)
            self.assertEqual(ours["token_ids"], theirs, prompt)
            self.assertEqual(two["token_ids"], theirs, prompt)
        self.compare_beams(model, folder, tokenizer, whole)

    def compare_beams(self, model, folder, tokenizer, whole):
        ours = hearth.succeed_json("generate", "--model", folder, "--prompt", PROMPTS[0], "--beams", 3, "--samples", 2,
                                   "--max-tokens", TOKENS, "--ignore-eos")["answers"]
        if whole:
            return
        out = generate(model, tokenizer.encode(PROMPTS[0]).ids, do_sample=False, num_beams=3, num_return_sequences=2,
                       eos_token_id=None, max_new_tokens=TOKENS)
        self.assertEqual([a["token_ids"] for a in ours], [row[-TOKENS:].tolist() for row in out.sequences])
        for answer, score in zip(ours, out.sequences_scores.tolist()):
            self.assertLess(abs(answer["score"] - score), 1e-4 * max(1, abs(score)))


for family in FAMILIES:
    setattr(Batches, "test_" + "".join(c if c.isalnum() else "_" for c in family),
            lambda self, family=family: self.compare(family))

if __name__ == "__main__":
    unittest.main()
