# SPDX-License-Identifier: Apache-2.0
"""Chat templates against jinja2 as transformers sets it up: the same text, the same assistant spans, errors at the same
places.

Templates: those of tests/assets/chat_templates, modelled on what published models use; and every *.jinja under the
folder that HEARTH_CHAT_TEMPLATES names, if it names one. HEARTH_BUILD names the folder with hearth_template.
"""
import glob
import os
import sys
import unittest
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from chat_expressions import VARIABLES, Expressions  # noqa: E402
from chat_oracle import Conversations, hearth, real  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONVERSATIONS = int(os.environ.get("HEARTH_CHAT_CONVERSATIONS", "150"))  # per template
EXPRESSIONS = int(os.environ.get("HEARTH_CHAT_EXPRESSIONS", "8000"))
# What jinja2 prints of things that have no text of their own.
UNPRINTABLE = ("object at 0x", "OBJECT AT 0X", "Object At 0X", "object bt 0x", "<built-in", "<bound", "<dict_", "Macro", "range(", "&lt;")
# Constants are folded by jinja2 with other rules; sizes are bounded by Hearth.
OURS_ALONE = ("unhashable type: 'slice'", "not subscriptable", "is too large", "beyond 64 bits", "at most 64 are allowed")


class ChatTemplates(unittest.TestCase):
    def folders(self):
        yield os.path.join(ROOT, "tests", "assets", "chat_templates")
        if os.environ.get("HEARTH_CHAT_TEMPLATES"):
            yield os.environ["HEARTH_CHAT_TEMPLATES"]

    def test_templates_render_the_same(self):
        paths = [p for folder in self.folders() for p in glob.glob(os.path.join(folder, "**", "*.jinja"), recursive=True)]
        self.assertGreaterEqual(len(paths), 10)
        rendered = 0
        for path in sorted(paths):
            with open(path, encoding="utf-8") as file:
                template = file.read()
            source = Conversations(os.path.basename(path))
            variables = [source.one() for _ in range(CONVERSATIONS)]
            texts = 0
            for given, ours in zip(variables, hearth([(template, given) for given in variables])):
                theirs = real(template, given)
                with self.subTest(template=os.path.basename(path), variables=given):
                    if "error" in theirs:
                        self.assertIn("error", ours, theirs)
                    else:
                        self.assertEqual(ours, theirs)
                texts += "text" in theirs
            rendered += texts
        self.assertGreater(rendered, 5 * CONVERSATIONS)
        print(f"{len(paths)} templates, {rendered} renderings equal", file=sys.stderr)

    def test_random_expressions(self):
        warnings.simplefilter("ignore", SyntaxWarning)  # jinja2 compiles "(1)[0]" to Python, which complains
        expressions = Expressions(1)
        templates = [expressions.template() for _ in range(EXPRESSIONS)]
        texts = 0
        for template, ours in zip(templates, hearth([(template, VARIABLES) for template in templates])):
            theirs = real(template, VARIABLES)
            if "error" in theirs and "error" in ours:
                continue
            if any(word in theirs.get("text", "") for word in UNPRINTABLE) or any(word in ours.get("error", "") for word in OURS_ALONE):
                continue
            with self.subTest(template=template):
                self.assertEqual(ours, theirs)
            texts += "text" in theirs
        self.assertGreater(texts, EXPRESSIONS // 5)
        print(f"{texts} random templates equal", file=sys.stderr)

    def test_every_character_changes_case_and_prints_the_same(self):
        characters = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
        template = "{% for t in texts %}{{ t.upper() }}|{{ t.lower() }}|{{ t.title() }}|{{ t.capitalize() }}|{{ [t] }}|{{ t.strip() }}\n{% endfor %}"
        flags = "{% for t in texts %}{% for c in t %}{{ 1 if c.isalpha() }}{{ 2 if c.isdigit() }}{{ 3 if c.isdecimal() }}{{ 4 if c.isnumeric() }}{{ 5 if c.isupper() }}{{ 6 if c.islower() }}{{ 7 if c.istitle() }}{{ 8 if c.isspace() }}.{% endfor %}{% endfor %}"
        for begin in range(0, len(characters), 1 << 16):
            part = characters[begin : begin + (1 << 16)]
            texts = {"texts": ["a" + "".join(part[i : i + 16]) for i in range(0, len(part), 16)]}
            for wanted in (template, flags):
                if wanted is flags and begin >= 1 << 17:
                    continue
                ours = hearth([(wanted, texts)])[0]
                self.assertEqual(ours, real(wanted, texts), begin)


if __name__ == "__main__":
    unittest.main()
