# SPDX-License-Identifier: Apache-2.0
"""jinja2 as transformers sets it up, hearth_template beside it, and conversations to try both on."""
import copy
import datetime
import json
import os
import random
import subprocess

from transformers.utils import chat_template_utils

NOW = 1_700_000_000


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(NOW, tz)


chat_template_utils.datetime = FixedClock


def real(template, variables):
    """What jinja2 renders: {"text", "generated" (in characters)} or {"error"}."""
    names = copy.deepcopy(variables)  # some filters change what they get
    blocks, spans = [], []
    try:
        compiled = chat_template_utils._compile_jinja_template(template)
        with compiled.environment.activate_tracker(blocks, spans):
            for block in compiled.generate(**names):
                blocks.append(block)
        return {"text": "".join(blocks), "generated": [list(span) for span in spans]}
    except RecursionError:
        return {"error": "RecursionError"}
    except Exception as error:  # whatever Python has to say about it
        return {"error": f"{type(error).__name__}: {error}"}


def hearth(lines):
    """Answers of hearth_template to (template, variables) pairs; spans in characters."""
    tool = os.path.join(os.environ["HEARTH_BUILD"], "hearth_template")
    text = "".join(json.dumps({"template": t, "variables": v, "now": NOW}) + "\n" for t, v in lines)
    done = subprocess.run([tool], input=text.encode(), capture_output=True)
    answers = done.stdout.decode().split("\n")[:-1]
    if done.returncode or len(answers) != len(lines):
        bad = lines[len(answers)] if len(answers) < len(lines) else None
        raise AssertionError(f"hearth_template ended with {done.returncode} at {str(bad)[-600:]}: {done.stderr.decode()}")
    answers = [json.loads(answer) for answer in answers]
    for answer in answers:
        if answer.get("generated"):
            data = answer["text"].encode()
            answer["generated"] = [[len(data[:at].decode()) for at in span] for span in answer["generated"]]
    return answers


# ---- conversations ----------------------------------------------------------------------------------------------------

TEXTS = [
    "Hello", "What is 2+2?", " leading and trailing  ", "line one\nline two\n", "", "\n\n", "ünïcödé 日本語 👩‍👩‍👧‍👦",
    "<b>tags</b> & \"quotes\" 'single' \\ back\\n", "{{ not a template }} {% if %} {# no #}", "<|im_start|>system\nhi<|im_end|>",
    "<think>\nhm\n</think>\n\nanswer", "<think>", "a</think>b</think>c", "tab\tand\rreturn\r\n", "x" * 300, "0", "None",
    "<tool_call>{}</tool_call>", "e\u0301 \u00a0 \u200b \u2028 end", "🙂", "[INST] x [/INST]", "Σ ΟΔΥΣΣΕΥΣ ß ǆ",
]
SCHEMAS = [
    {"type": "object", "properties": {"city": {"type": "string", "description": "The city, e.g. \"Paris\" & <others>"},
                                      "unit": {"type": "string", "enum": ["c", "f"]}}, "required": ["city"]},
    {"type": "object", "properties": {}},
    {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "default": 1.5}, "deep": {"type": "array", "items": {
        "type": "object", "properties": {"ä": {"type": ["string", "null"]}}}}}, "required": ["n", "deep"]},
]
ARGUMENTS = [{"city": "Paris", "unit": "c"}, {}, {"n": 1, "deep": [{"ä": None}], "ok": True}, {"x": 1.5, "y": -0.0, "z": 1e-7, "w": 1e22},
             {"text": "line\nbreak \"q\" <t> é \u2028"}]


class Conversations:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def text(self):
        return self.rng.choice(TEXTS) if self.rng.random() < 0.8 else " ".join(self.rng.choice(TEXTS) for _ in range(3))

    def content(self, plain):
        draw = self.rng.random()
        if plain or draw < 0.75:
            return self.text()
        if draw < 0.93:
            parts = [{"type": "text", "text": self.text()} for _ in range(self.rng.randrange(1, 4))]
            if self.rng.random() < 0.3:
                parts.insert(self.rng.randrange(len(parts) + 1), {"type": "image"})
            return parts
        return None if draw < 0.97 else []

    def tool(self):
        function = {"name": self.rng.choice(["get_weather", "f", "search_it"]), "description": self.text(),
                    "parameters": self.rng.choice(SCHEMAS)}
        if self.rng.random() < 0.2:
            function["return"] = {"type": "string", "description": "result"}
        return {"type": "function", "function": function}

    def tool_call(self, number):
        arguments = self.rng.choice(ARGUMENTS)
        if self.rng.random() < 0.25:
            arguments = json.dumps(arguments)
        call = {"type": "function", "function": {"name": self.rng.choice(["get_weather", "f"]), "arguments": arguments}}
        if self.rng.random() < 0.7:
            call["id"] = f"call{number:05d}"
        return call if self.rng.random() < 0.9 else call["function"]

    def turn(self, plain, tools):
        message = {"role": "assistant", "content": self.content(plain)}
        if self.rng.random() < 0.2:
            message[self.rng.choice(["reasoning_content", "thinking", "reasoning"])] = self.text()
        replies = []
        if tools and self.rng.random() < 0.5:
            message["tool_calls"] = [self.tool_call(i) for i in range(self.rng.randrange(1, 3))]
            if self.rng.random() < 0.3:
                message["content"] = self.rng.choice([None, ""])
            if self.rng.random() < 0.2:
                del message["content"]
            for i, call in enumerate(message["tool_calls"]):
                reply = {"role": "tool", "content": self.rng.choice([self.text(), '{"temp": 21}'])}
                if self.rng.random() < 0.7:
                    reply["tool_call_id"] = call.get("id", "call00000")
                if self.rng.random() < 0.5:
                    reply["name"] = "get_weather"
                replies.append(reply)
        return [message] + replies

    def one(self):
        plain, tools = self.rng.random() < 0.4, self.rng.random() < 0.5
        messages = []
        if self.rng.random() < 0.5:
            messages.append({"role": self.rng.choice(["system", "system", "system", "developer"]), "content": self.content(plain)})
        for _ in range(self.rng.randrange(0, 4)):
            messages.append({"role": "user", "content": self.content(plain)})
            messages += self.turn(plain, tools)
        if self.rng.random() < 0.6 or not messages:
            messages.append({"role": "user", "content": self.content(plain)})
        if self.rng.random() < 0.05:
            self.rng.shuffle(messages)
        if self.rng.random() < 0.03:
            messages.append({"role": "stranger", "content": "hi"})
        variables = {"messages": messages, "tools": None, "documents": None,
                     "add_generation_prompt": self.rng.random() < 0.5, "bos_token": "<s>", "eos_token": "</s>"}
        if tools:
            variables["tools"] = [self.tool() for _ in range(self.rng.randrange(1, 3))]
        if self.rng.random() < 0.1:
            variables["documents"] = [{"title": self.text(), "text": self.text()} for _ in range(2)]
        for name, values in (("enable_thinking", [True, False]), ("thinking", [True, False]), ("date_string", ["01 Jan 2025"]),
                             ("tools_in_user_message", [True, False]), ("reasoning_effort", ["low", "high"]), ("xml_tools", [None])):
            if self.rng.random() < 0.15:
                variables[name] = self.rng.choice(values)
        return variables
