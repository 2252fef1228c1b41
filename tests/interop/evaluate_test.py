# SPDX-License-Identifier: Apache-2.0
"""hearth evaluate against the real transformers: loss, perplexity, token accuracy and bits per byte of texts and
examples; multiple choice with the arithmetic of lm-evaluation-harness, written here from what its sources do
(version 0.4.13: TemplateLM.loglikelihood, HFLM._loglikelihood_tokens, ConfigurableTask.process_results)."""
import json
import math
import random
import shutil
import unittest

import numpy
import torch
from transformers import AutoTokenizer

import hearth_program as hearth
from hearth_program import PROSE, REFERENCE

WORDS = ["the", "king", "said", "Go!", "café", "日本", "\n", " ", "😀", "I'm", "1984", "…", "dark", "river", "of", "time"]


def setUpModule():
    hearth.need_program()


def adapted():
    from peft import PeftModel
    return PeftModel.from_pretrained(hearth.load(PROSE), REFERENCE / "lora_init").eval()


def scores(model, tokens):
    """(log-probability, is it the arg max) of each token but the first."""
    with torch.inference_mode():
        logits = torch.log_softmax(model(input_ids=torch.tensor([tokens])).logits[0, :-1].double(), -1)
    wanted = torch.tensor(tokens[1:])
    return logits.gather(1, wanted[:, None])[:, 0].tolist(), (logits.argmax(-1) == wanted).tolist()


class Harness:
    """loglikelihood() and multiple choice of lm-evaluation-harness on a causal model."""

    def __init__(self, model, tokenizer, context):
        self.model, self.tokenizer, self.context = model, tokenizer, context
        self.prefix = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id

    def encode(self, text, **options):
        if not options and text.startswith(self.tokenizer.decode(self.prefix)):
            options = {"add_special_tokens": False}
        return self.tokenizer.encode(text, **options)

    def pair(self, context, continuation):
        if context == "":
            rest = self.encode(continuation, add_special_tokens=False)
            return ([self.prefix], rest) if rest[0] != self.prefix else (rest[:1], rest[1:])
        spaces = len(context) - len(context.rstrip())
        if spaces:
            context, continuation = context[:-spaces], context[-spaces:] + continuation
        whole, before = self.encode(context + continuation), self.encode(context)
        return before, whole[len(before):]

    def loglikelihood(self, context, continuation):
        before, rest = self.pair(context, continuation)
        tokens = (before + rest)[-(self.context + 1):]
        log_probs, greedy = scores(self.model, tokens)
        return sum(log_probs[-len(rest):]), all(greedy[-len(rest):])

    def answer(self, question, delimiter=" "):
        choices = question["choices"]
        lls, greedy = zip(*(self.loglikelihood(question["context"], delimiter + c) for c in choices))
        alone = [self.loglikelihood("", delimiter + c)[0] for c in choices]
        lls = numpy.array(lls)
        picks = {"acc": lls, "acc_norm": lls / numpy.array([float(len(c)) for c in choices]),
                 "acc_bytes": lls / numpy.array([float(len(c.encode("utf-8"))) for c in choices]),
                 "acc_mutual_info": lls - numpy.array(alone)}
        return lls, greedy, alone, {name: int(numpy.argmax(value)) for name, value in picks.items()}


def mean_and_error(right):
    mean = sum(right) / len(right)
    return mean, math.sqrt(sum((r - mean) ** 2 for r in right) / (len(right) - 1)) / math.sqrt(len(right))


class Evaluate(hearth.HearthTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.real = AutoTokenizer.from_pretrained(PROSE)
        cls.model = hearth.load(PROSE)

    def setUp(self):
        self.rng = random.Random(11)

    def words(self, most):
        return " ".join(self.rng.choice(WORDS) for _ in range(self.rng.randrange(1, most)))

    def write(self, rows, name):
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    def assert_measures(self, ours, log_probs, hits, relative=1e-5):
        loss = -sum(log_probs) / len(log_probs)
        self.assertEqual(ours["tokens"], len(log_probs))
        self.assert_close(ours["loss"], loss, relative, "loss")
        self.assert_close(ours["perplexity"], math.exp(loss), 10 * relative, "perplexity")
        self.assertEqual(ours["accuracy"], sum(hits) / len(hits))

    def test_a_text(self):
        data = hearth.text_file(self.folder, 6000)
        log_probs, hits, size = [], [], 0
        for row in hearth.blocks(PROSE, data, 128).tolist():
            p, h = scores(self.model, row)
            log_probs += p
            hits += h
            size += len(self.real.decode(row, skip_special_tokens=True).encode()) - len(self.real.decode(row[:1], skip_special_tokens=True).encode())
        ours = hearth.evaluate(PROSE, data, block=128)
        self.assert_measures(ours, log_probs, hits)
        self.assertEqual(ours["bytes"], size)
        self.assert_close(ours["bits_per_byte"], -sum(log_probs) / math.log(2) / size, 1e-5, "bits per byte")

    def test_examples_of_every_form(self):
        folder = self.folder / "chat"
        shutil.copytree(PROSE, folder)
        template = "{%- for m in messages %}{{ '<|' + m.role + '|>' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content + eos_token }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}"
        (folder / "chat_template.jinja").write_text(template)
        real = AutoTokenizer.from_pretrained(folder)
        texts, answers, chats = [], [], []
        for _ in range(12):
            texts.append({"text": self.words(40)})
            answers.append({"prompt": self.words(30), "completion": " " + self.words(10)})
            chats.append({"messages": [{"role": "user", "content": self.words(9)}, {"role": "assistant", "content": self.words(9)}]})
        forms = [("text", texts, (), [(real(r["text"] + "</s>")["input_ids"], None) for r in texts]),
                 ("prompt", answers, (), [(real(r["prompt"] + r["completion"] + "</s>")["input_ids"], len(real(r["prompt"])["input_ids"])) for r in answers])]
        masked = [real.apply_chat_template(r["messages"], return_dict=True, return_assistant_tokens_mask=True) for r in chats]
        forms.append(("messages", chats, ("--loss-on", "assistant"), [(m["input_ids"], m["assistant_masks"]) for m in masked]))
        for name, rows, flags, wanted in forms:
            log_probs, hits = [], []
            for ids, counts in wanted:
                counts = [i >= (counts or 0) for i in range(len(ids))] if not isinstance(counts, list) else counts
                p, h = scores(self.model, ids)
                log_probs += [x for x, c in zip(p, counts[1:]) if c]
                hits += [x for x, c in zip(h, counts[1:]) if c]
            ours = hearth.succeed_json("evaluate", "--model", folder, "--data", self.write(rows, name + ".jsonl"), *flags)
            with self.subTest(name):
                self.assert_measures(ours, log_probs, hits)
                self.assertEqual(ours["examples"], 12)
                self.assertNotIn("bits_per_byte", ours)

    def questions(self):
        rows = []
        for i in range(40):
            context = self.rng.choice(["", "", "<s>", "\n"])[:i] + self.words(25) + self.rng.choice(["", "", " ", "  \n", "\u3000"])
            rows.append({"context": context, "choices": [self.words(8) for _ in range(self.rng.randrange(2, 6))], "answer": 0})
            rows[-1]["answer"] = self.rng.randrange(len(rows[-1]["choices"]))
        rows += [{"context": "Which letter?\nAnswer:", "choices": ["A", "B", "C", "D"], "answer": "C"},
                 {"question": "", "choices": ["the king", "日本"], "answer": 1},
                 {"question": "Of two", "choices": {"text": ["this", "that"], "label": ["1", "2"]}, "answerKey": "2"}]
        return rows

    def compare_with_harness(self, model, rows, answers, *flags, **options):
        details = self.folder / "details.jsonl"
        context = options.pop("context", 1024)
        ours = hearth.succeed_json("evaluate", "--model", PROSE, "--questions", self.write(rows, "questions.jsonl"),
                                   "--mutual-information", "--details", details, *flags)
        harness = Harness(model, self.real, context)
        right = {"acc": [], "acc_norm": [], "acc_bytes": [], "acc_mutual_info": []}
        lines = [json.loads(line) for line in details.read_text().splitlines()]
        self.assertEqual(len(lines), len(rows))
        for row, line, answer in zip(rows, lines, answers):
            row = {"context": row.get("context", row.get("question")),
                   "choices": row["choices"]["text"] if isinstance(row["choices"], dict) else row["choices"]}
            lls, greedy, alone, picks = harness.answer(row, **options)
            self.assertEqual(line["answer"], answer)
            for wanted, found in zip([*lls, *alone], line["log_likelihoods"] + line["unconditional"]):
                # f32 log-probabilities of a few dozen tokens, summed
                self.assertLess(abs(wanted - found), 2e-5 * abs(wanted) + 1e-5, row)
            self.assertEqual(line["greedy"], list(greedy))
            for name, pick in picks.items():
                right[name].append(pick == answer)
        for name, values in right.items():
            mean, error = mean_and_error(values)
            self.assertAlmostEqual(ours[name], mean, delta=1e-12, msg=name)
            self.assertAlmostEqual(ours[name + "_stderr"], error, delta=1e-12, msg=name)
        return ours

    def answers(self, rows):
        return [row["answer"] if isinstance(row.get("answer"), int) else {"C": 2, "2": 1}[row.get("answer") or row.get("answerKey")] for row in rows]

    def test_questions_as_the_harness_answers_them(self):
        rows = self.questions()
        ours = self.compare_with_harness(self.model, rows, self.answers(rows))
        self.assertEqual((ours["questions"], ours["choices"]), (43, sum(len(self.text_choices(r)) for r in rows)))

    @staticmethod
    def text_choices(row):
        return row["choices"]["text"] if isinstance(row["choices"], dict) else row["choices"]

    def test_questions_with_an_adapter_another_delimiter_and_small_batches(self):
        rows = self.questions()[30:]
        self.compare_with_harness(adapted(), rows, self.answers(rows), "--adapter", REFERENCE / "lora_init",
                                  "--delimiter", "\n", "--batch-size", 1, delimiter="\n")

    def test_a_question_longer_than_the_context_loses_its_begin(self):
        rows = [{"context": self.words(2) + " the river of time" * 600, "choices": ["dark", "the king said"], "answer": 1},
                {"context": "the", "choices": ["river", "king"], "answer": 0}]
        ours = self.compare_with_harness(self.model, rows, [1, 0])
        self.assertEqual(ours["truncated_choices"], 2)

    def test_comparison_of_base_and_adapter(self):
        data = hearth.text_file(self.folder, 3000)
        questions = self.write(self.questions()[:5], "few.jsonl")
        words = ("evaluate", "--model", PROSE, "--data", data, "--questions", questions, "--block-size", 64)
        adapter = REFERENCE / "lora_init"
        both = hearth.succeed_json(*words, "--adapter", adapter, "--compare")
        base, tuned = hearth.succeed_json(*words), hearth.succeed_json(*words, "--adapter", adapter)
        self.assertEqual([m["adapter"] for m in both["models"]], [None, str(adapter)])
        for name in ("loss", "perplexity", "accuracy", "bits_per_byte", "acc", "acc_norm"):
            self.assertEqual([m[name] for m in both["models"]], [base[name], tuned[name]])
            self.assertEqual(both["differences"][0][name], tuned[name] - base[name])
        table = hearth.succeed(*words, "--adapter", adapter, "--compare").splitlines()
        self.assertEqual(table[0].split(), [PROSE.name, "lora_init", "difference"])
        self.assertEqual([line.split()[0] for line in table[1:5]], ["loss", "perplexity", "accuracy", "bits_per_byte"])
        two = hearth.succeed_json(*words, "--model", shutil.copytree(PROSE, self.folder / "other"))
        self.assertEqual(two["models"][0]["loss"], two["models"][1]["loss"])

    def test_what_is_refused(self):
        def refused(row, *words, flags=()):
            path = self.folder / "bad.jsonl"
            path.write_text('{"context": "a", "choices": ["b", "c"], "answer": 1}\n' + (row if isinstance(row, str) else json.dumps(row)) + "\n")
            self.assert_refused(hearth.run("evaluate", "--model", PROSE, "--questions", path, *flags), "evaluate", *words)
        good = {"context": "a", "choices": ["b", "c"], "answer": 1}
        refused(good | {"answer": 2}, "line 2", "'answer' must be a number from 0 to 1 or a letter from A to B, found 2")
        refused(good | {"answer": "C"}, "line 2", 'found "C"')
        refused(good | {"answer": -1}, "line 2", "found -1")
        refused(good | {"answer": True}, "line 2", "found true")
        refused(good | {"choices": ["b"]}, "line 2", "a question needs at least 2 choices, found 1")
        refused(good | {"choices": ["b", ""]}, "line 2", "choice 1 is empty")
        refused(good | {"choices": ["b", 3]}, "line 2", "'choices' must be a list of texts, found number in it")
        refused(good | {"choices": {"label": ["x"]}}, "line 2", "'choices' must be a list of texts, or an object")
        refused(good | {"choices": {"text": ["x", "y"], "label": ["A"]}}, "2 texts and 1 labels")
        refused(good | {"context": 3}, "line 2", "'context' must be a text, found number")
        refused({"context": "a", "answer": 0}, "line 2", "a question needs", "it has 'context', 'answer'")
        refused([1], "line 2", "a question must be an object, found array")
        refused('{"context"', "line 2")
        refused(good | {"choices": ["b", "the king " * 2000]}, "question 2", "longer than the model's context of 1024")
        (self.folder / "empty.jsonl").write_text("\n")
        self.assert_refused(hearth.run("evaluate", "--model", PROSE, "--questions", self.folder / "empty.jsonl"), "evaluate", "has no question")
        for words, message in (((), "--data or --questions is needed"),
                               (("--data", "x", "--compare"), "--adapter is missing"),
                               (("--data", "x", "--mutual-information"), "--questions is missing"),
                               (("--data", "x", "--details", "y"), "--questions is missing")):
            done = hearth.run("evaluate", "--model", PROSE, *words)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(message, done.stderr)


if __name__ == "__main__":
    unittest.main()
