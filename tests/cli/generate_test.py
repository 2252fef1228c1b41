#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hearth generate and hearth chat as their users meet them: prompts from files, several answers, conversations from a pipe
and on a terminal, Ctrl-C, a context that is too short, bad use."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
import unittest

from cli_program import CliTest, hearth

PROSE = hearth.PROSE
TEMPLATE = """{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}"{{ m.content }}" said he.
{% elif m.role == 'assistant' %}{{ m.content }}
{% elif m.content == 'refuse' %}{{ raise_exception('no such system') }}{% else %}{{ m.content }}
{% endif %}{% endfor %}"""


def setUpModule():
    hearth.need_program()


def piped(text, *words):
    return subprocess.run(hearth.command(*words), input=text, capture_output=True, text=True, timeout=120)


class Prompts(CliTest):
    def text(self, *words):
        return hearth.succeed_json("generate", "--model", PROSE, "--max-tokens", 12, *words)["text"]

    def test_from_a_file_and_from_standard_input(self):
        path = self.folder / "prompt.txt"
        path.write_text("The night\nwas dark,\n")
        wanted = self.text("--prompt", "The night\nwas dark,")
        self.assertEqual(self.text("--prompt-file", path), wanted)
        for words in (("--prompt-file", "-"), ("--prompt-file", "/dev/stdin")):
            done = piped("The night\nwas dark,\n", "generate", "--model", PROSE, "--max-tokens", 12, *words[:2]) \
                if words[1] == "-" else None
            if done:
                self.assertEqual((done.returncode, done.stdout), (0, wanted + "\n"), done.stderr)

    def test_in_f16(self):
        """f16 has 11 bits where bf16 has 8: it is nearer to f32, and not the same."""
        def logprobs(dtype):
            answer = hearth.succeed_json("generate", "--model", PROSE, "--max-tokens", 12, "--prompt", "The night was dark, and",
                                         "--logprobs", 0, "--dtype", dtype)
            return answer["text"], [token["logprob"] for token in answer["logprobs"]]
        (text, exact), (half_text, half), (_, brain) = (logprobs(dtype) for dtype in ("f32", "f16", "bf16"))
        worst = max(abs(a - b) for a, b in zip(exact, half))
        self.assertEqual((half_text, len(half)), (text, 12))
        self.assertGreater(worst, 0)
        self.assertLess(worst, max(abs(a - b) for a, b in zip(exact, brain)) / 2)

    def test_many_prompts(self):
        path = self.folder / "prompts.txt"
        path.write_text("My lord,\r\n\nThe night\n")
        done = hearth.run("generate", "--model", PROSE, "--max-tokens", 12, "--prompts", path)
        wanted = [self.text("--prompt", p) for p in ("My lord,", "The night")]
        self.assertEqual(done.stdout, f"--- prompt 1\n{wanted[0]}\n--- prompt 2\n{wanted[1]}\n")
        self.assertRegex(done.stderr, r"^prompts: 2 of \d+ tokens; answers: 2 of 24 tokens")
        done = piped("My lord,\nThe night\n", "generate", "--model", PROSE, "--max-tokens", 12, "--prompts", "-", "--json")
        self.assertEqual([a["text"] for a in json.loads(done.stdout)["answers"]], wanted)
        for name, text in (("prompts.jsonl", '{"prompt": "My lord,"}\n\n{"prompt": "The night"}\n'),
                           ("prompts.json", '[{"prompt": "My lord,"}, {"prompt": "The night"}]')):
            (self.folder / name).write_text(text)
            answers = hearth.succeed_json("generate", "--model", PROSE, "--max-tokens", 12, "--prompts",
                                          self.folder / name)["answers"]
            self.assertEqual([a["text"] for a in answers], wanted)

    def test_messages(self):
        model = self.copy_of(PROSE, "messages")
        (model / "chat_template.jinja").write_text(TEMPLATE)
        path = self.folder / "messages.jsonl"
        said = [{"role": "user", "content": "Who is there?"}]
        path.write_text(json.dumps({"messages": said}) + "\n" + json.dumps({"prompt": said}) + "\n")
        answers = hearth.succeed_json("generate", "--model", model, "--max-tokens", 12, "--prompts", path)["answers"]
        self.assertEqual(answers[0]["token_ids"], answers[1]["token_ids"])
        self.assertEqual(answers[0]["prompt_tokens"],
                         len(hearth.tokenizer(PROSE).encode('<s>"Who is there?" said he.\n', add_special_tokens=False).ids))

    def test_streamed_text_never_shows_a_part_of_a_stop_text(self):
        whole = self.text("--prompt", "The night")
        stop = whole[10:16]
        process = subprocess.Popen(hearth.command("generate", "--model", PROSE, "--max-tokens", 12, "--prompt",
                                                  "The night", "--stop", stop), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        seen = b""
        while piece := os.read(process.stdout.fileno(), 1):
            seen += piece
            self.assertTrue((whole[:whole.index(stop)] + "\n").encode().startswith(seen), seen)
        self.assertIn(b"a stop text ended it", process.communicate()[1])
        self.assertEqual(seen.decode(), whole[:whole.index(stop)] + "\n")

    def test_a_length_that_nobody_asked_for_is_cut_to_the_context(self):
        prompt = "word " * 100  # of a context of 256
        words = ("generate", "--model", self.tiny, "--prompt", prompt[:150], "--ignore-eos")
        tokens = hearth.succeed_json(*words, "--max-tokens", 1)["prompt_tokens"]
        self.assertGreater(tokens, 128)
        done = hearth.run(*words, "--json")
        self.assertEqual(json.loads(done.stdout)["tokens"], 256 - tokens)
        self.assertEqual(done.stderr, f"--max-tokens {256 - tokens}: more do not fit in the model's context\n")
        self.refused((*words, "--max-tokens", 128), f"at most {256 - tokens} new tokens do")

    def test_samples(self):
        words = ("generate", "--model", PROSE, "--max-tokens", 8, "--prompt", "The night", "--temperature", 1)
        done = hearth.run(*words, "--samples", 3)
        texts = re.split(r"--- answer \d\n", done.stdout)[1:]
        self.assertEqual(len(set(texts)), 3)
        self.assertEqual(texts[0], hearth.succeed(*words))


class BadUse(CliTest):
    def refused_generate(self, *words, usage=False, expected=()):
        return self.refused(("generate", "--model", self.tiny, *words), *expected, usage=usage)

    def test_flags(self):
        for words, expected in (((), ["--prompt-file"]), (("--prompt", "a", "--prompts", "b"), ["not several"]),
                                (("--prompt", "a", "--logprobs", 2), ["add --json"]),
                                (("--prompt", "a", "--beams", 2, "--temperature", 1), ["--temperature"]),
                                (("--prompt", "a", "--beams", 2, "--samples", 3), ["--samples is 3"]),
                                (("--prompt", "a", "--logit-bias", "5"), ["'5'"]),
                                (("--prompt", "a", "--logit-bias", "5:nan"), ["5:nan"]),
                                (("--prompt", "a", "--logit-bias", "-5:1"), ["-5:1"]),
                                (("--prompt", "a", "--stop", ""), ["--stop"]),
                                (("--prompt", "a", "--bad-words", ""), ["--bad-words"]),
                                (("--prompt", "a", "--min-p", 1.5), ["--min-p"]),
                                (("--prompt", "a", "--typical-p", 0), ["--typical-p"]),
                                (("--prompt", "a", "--repetition-penalty", 0), ["--repetition-penalty"]),
                                (("--prompt", "a", "--early-stopping", "soon"), ["heuristic"])):
            with self.subTest(str(words)):
                self.refused_generate(*words, usage=True, expected=expected)

    def test_files(self):
        path = self.folder / "bad.jsonl"
        for text, expected in (('{"prompt": "a"}\n{"prompt": 3}\n', "bad.jsonl:2:"), ("[1]\n", "bad.jsonl:1:"),
                               ('{"text": "a"}\n', "'prompt' or 'messages'"), ('{"prompt": ', "bad.jsonl:1:"),
                               ('{"messages": [{"role": "user", "content": "a"}]}\n', "no chat template"),
                               ("\n \n", "no prompts")):
            path.write_text(text)
            with self.subTest(text):
                self.refused_generate("--prompts", path, expected=[expected])
        self.refused_generate("--prompts", self.folder / "none", expected=["none"])
        self.refused_generate("--prompt-file", self.folder, expected=[self.folder])
        self.refused_generate("--prompt", "a", "--logit-bias", "99999:1", expected=["99999"])

    def test_a_generation_config_that_makes_no_sense(self):
        model = self.copy_of(self.tiny, "config")
        (model / "generation_config.json").write_text('{"do_sample": true, "temperature": "hot"}')
        self.refused(("generate", "--model", model, "--prompt", "a"), "generation_config.json", "'temperature'")


class Chat(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.folder / "chat"
        shutil.copytree(PROSE, cls.model)
        (cls.model / "chat_template.jinja").write_text(TEMPLATE)

    def chat(self, lines, *words, model=None):
        return piped("".join(line + "\n" for line in lines), "chat", "--model", model or self.model, *words)

    def turns(self, lines, *words, **options):
        done = self.chat(lines, "--json", *words, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def alone(self, tokens, *said, system=None):
        """The answer to a conversation, user and assistant in turn, that nothing was computed of before."""
        messages = [{"role": "system", "content": system}] if system else []
        messages += [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(said)]
        path = self.folder / "alone.jsonl"
        path.write_text(json.dumps({"messages": messages}))
        return hearth.succeed_json("generate", "--model", self.model, "--prompts", path, "--max-tokens",
                                   tokens)["answers"][0]

    def test_each_turn_is_what_its_text_gives_alone(self):
        turns, said = self.turns(["Who is there?", "And who are you?", "Where?"], "--max-tokens", 15)
        said = []
        for said_by_user, turn in zip(("Who is there?", "And who are you?", "Where?"), turns):
            said.append(said_by_user)
            alone = self.alone(15, *said)
            self.assertEqual((turn["text"], turn["prompt_tokens"]), (alone["text"], alone["prompt_tokens"]))
            said.append(turn["text"])
        self.assertEqual(turns[0]["reused_tokens"], 0)
        for before, turn in zip(turns, turns[1:]):  # at least the prompt before
            self.assertGreaterEqual(turn["reused_tokens"], before["prompt_tokens"] - 1)
            self.assertLess(turn["reused_tokens"], turn["prompt_tokens"])

    def test_system_reset_exit_and_a_turn_of_two_lines(self):
        lines = ["Who\\", "is there?", "/reset", "", "Who\\", "is there?", "/exit", "never said"]
        turns, said = self.turns(lines, "--max-tokens", 8, "--system", "It was night.")
        self.assertEqual(len(turns), 2)
        self.assertEqual(turns[0]["token_ids"], turns[1]["token_ids"])
        alone = self.alone(8, "Who\nis there?", system="It was night.")
        self.assertEqual((turns[0]["text"], turns[0]["prompt_tokens"]), (alone["text"], alone["prompt_tokens"]))
        self.assertIn("new conversation", said)

    def test_plain_text_from_a_pipe(self):
        done = self.chat(["Who is there?", "/what"], "--max-tokens", 8)
        self.assertEqual((done.returncode, done.stdout), (0, self.alone(8, "Who is there?")["text"] + "\n"))
        self.assertIn("no command /what", done.stderr)
        self.assertEqual(self.chat(["Who is there?"], "--max-tokens", 8, "--quiet").stderr, "")

    def test_a_full_context_drops_the_oldest_turns_and_says_so(self):
        model = self.copy_of(self.model, "short")
        config = json.loads((model / "config.json").read_text()) | {"max_position_embeddings": 96}
        (model / "config.json").write_text(json.dumps(config))
        turns, said = self.turns(["Who is there, and what do you want of us?"] * 6, "--max-tokens", 20, "--system",
                                 "It was night.", model=model)
        self.assertGreater(sum(turn["dropped_turns"] for turn in turns), 1)
        self.assertIn("left out from now on", said)
        for turn in turns:
            self.assertLessEqual(turn["prompt_tokens"] + 20, 96)
        turns, said = self.turns(["Who is there?"], "--max-tokens", 500, model=model)
        self.assertEqual(turns[0]["prompt_tokens"] + turns[0]["tokens"], 96)
        self.assertIn("context is full", said)

    def test_a_message_that_does_not_fit_is_refused_and_forgotten(self):
        model = self.copy_of(self.model, "shorter")
        config = json.loads((model / "config.json").read_text()) | {"max_position_embeddings": 64}
        (model / "config.json").write_text(json.dumps(config))
        done = self.chat(["word " * 200, "Who?"], "--max-tokens", 8, model=model)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"error: chat: this message has \d+ tokens .* context is 64; say it shorter")
        self.assertEqual(done.stdout, self.alone(8, "Who?")["text"] + "\n")

    def test_a_template_that_refuses(self):
        done = self.chat(["Who?"], "--system", "refuse")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no such system", done.stderr)

    def test_without_a_template(self):
        self.refused(("chat", "--model", PROSE), "no chat template")

    def test_control_c_ends_the_answer_and_not_the_program(self):
        terminal, program = pty.openpty()
        words = hearth.command("chat", "--model", self.model, "--max-tokens", 900, "--min-tokens", 900, "--quiet",
                               "--threads", 1)
        process = subprocess.Popen(words, stdin=program, stdout=program, stderr=subprocess.PIPE, close_fds=True)
        os.close(program)
        self.addCleanup(os.close, terminal)
        self.addCleanup(process.kill)

        def wait_for(text, seen=""):
            end = time.monotonic() + 60
            while text not in seen:
                self.assertLess(time.monotonic(), end, f"no {text!r} in {seen!r}")
                if select.select([terminal], [], [], 1)[0]:
                    seen += os.read(terminal, 4096).decode(errors="replace")
            return seen[seen.index(text) + len(text):]

        wait_for("> ")
        os.write(terminal, b"Who is there?\n")
        rest = wait_for("there?")
        while len(rest) < 40:
            rest += os.read(terminal, 4096).decode(errors="replace")
        process.send_signal(signal.SIGINT)
        rest = wait_for("\n> ", rest)
        os.write(terminal, b"/exit\n")
        self.assertEqual(process.wait(timeout=60), 0, process.stderr.read())

    def test_termination_ends_the_program(self):
        process = subprocess.Popen(hearth.command("chat", "--model", self.model, "--max-tokens", 900, "--min-tokens", 900,
                                                  "--threads", 1),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(b"Who is there?\n")
        process.stdin.flush()
        os.read(process.stdout.fileno(), 1)
        process.terminate()
        self.assertEqual(process.wait(timeout=60), -signal.SIGTERM)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


if __name__ == "__main__":
    unittest.main()
