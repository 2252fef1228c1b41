# SPDX-License-Identifier: Apache-2.0
"""Random templates: expressions, filters, tests, methods, loops and macros over a handful of variables."""
import random

VARIABLES = {
    "s": "Hello World", "e": "", "u": "ß Σας ünï 日本 e\u0301 ǆ", "p": "  pad\t\n", "l": [3, 1, 2, 2], "m": ["b", "A", "a", "C"], "z": [],
    "d": {"b": 1, "A": 2, "items": [1], "x y": None}, "n": None, "t": True, "f": False, "i": 7, "j": -3, "r": 2.5, "q": -0.1, "big": 1e22, "tiny": 1e-7,
    "o": [{"k": "x", "v": 1}, {"k": "y", "v": 2, "w": {"deep": [1, 2]}}, {"k": "X"}], "g": {}, "h": "<a href='x'>\"&\"</a>", "c": "a,b,,c",
    "long": "word " * 30, "lines": "one\n\ntwo\r\n  three\n",
}
NAMES = list(VARIABLES) + ["missing"]
LITERALS = ["1", "0", "-2", "3.0", "1.5e3", "'a'", "'b c'", "''", "'\\n'", "\"it's\"", "'%s-%d'", "[1, 'a', none]", "(1, 2)", "{'a': 1, 'b': [2]}", "true", "none", "[]", "{}", "0x1F", "1_000"]
FILTERS = ["upper", "lower", "title", "capitalize", "trim", "trim('ab ')", "length", "count", "first", "last", "list", "list|first", "join", "join(', ')", "join(', ', attribute='k')", "reverse|list",
           "sort", "sort(reverse=true)", "sort(case_sensitive=true)", "sort(attribute='k')", "unique|list", "map('upper')|list", "map(attribute='k')|list", "map(attribute='v', default=0)|list", "selectattr('v', 'defined')|list",
           "selectattr('k', 'equalto', 'x')|list", "rejectattr('v', '>', 1)|list", "select('string')|list", "reject('none')|list", "select|list", "default('dflt')", "default('d', true)", "d", "string", "int", "int(5)", "float", "round",
           "round(1)", "round(1, 'floor')", "round(method='ceil')", "abs", "sum", "sum(attribute='v')", "min", "max", "tojson", "tojson(indent=2)", "tojson(ensure_ascii=true)", "tojson(sort_keys=true)", "tojson(separators=(',', ':'))", "indent", "indent(2, true)", "indent('>>', blank=true)",
           "replace('l', 'L')", "replace('', '-')", "replace('a', 'bb', 1)", "items|list", "dictsort", "dictsort(by='value')", "dictsort(reverse=true)", "batch(2)|list", "batch(2, 'x')|list", "slice(2)|list", "slice(3, 0)|list", "center(20)", "wordcount", "truncate(12)", "truncate(9, true)",
           "escape", "e", "safe", "forceescape", "attr('upper')", "format('x', 3)", "map('length')|list"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "iterable", "sequence", "true", "false", "callable", "odd", "even", "divisibleby(2)", "divisibleby 3", "in [1, 2]", "eq(1)", "equalto 7", "ne 1",
         "gt 1", "ge(2)", "lt 3", "le 2.5", "lower", "upper", "sameas true", "sameas none", "escaped", "filter", "test", "not none", "not string", "in 'Hello'", "== 1", "!= 'a'"]
METHODS = ["upper()", "lower()", "strip()", "lstrip()", "rstrip()", "strip('Hd ')", "title()", "capitalize()", "swapcase()", "split()", "split(',')", "split(' ', 1)", "rsplit(' ', 1)", "split(sep='l', maxsplit=2)", "splitlines()", "splitlines(true)", "startswith('He')", "endswith(('d', 'o'))",
           "startswith('l', 2)", "find('l')", "rfind('l', 0, 5)", "index('o')", "count('l')", "count('')", "replace('l', '')", "replace('', '.', 3)", "join(['a', 'b'])", "join(m)", "join(l)", "partition(' ')", "rpartition('l')", "center(15, '*')", "ljust(14)", "rjust(14, '.')", "zfill(6)", "isdigit()",
           "isalpha()", "isupper()", "islower()", "isspace()", "istitle()", "isalnum()", "removeprefix('He')", "removesuffix('d')", "format(1, x=2)", "items()|list", "keys()|list", "values()|list", "get('b')", "get('zz', 5)", "get('zz')", "copy()", "index(2)", "count(2)", "append(1)", "pop()", "update({})", "isnumeric()", "isdecimal()", "isprintable()", "isascii()"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "and", "or", "+", "+"]
SUBSCRIPTS = ["[0]", "[-1]", "[9]", "[1:]", "[:2]", "[::-1]", "[-2:]", "[1:9:2]", "[::2]", "['b']", "['items']", "['zz']", ".b", ".items", ".k", ".zz", ".0", "[none:2]", "[i]", "[l[0]]", "[:-1]", "[5:1:-1]", "['k']", "[1.0]", "[true]"]
FORMATS = ["'{} {}'.format(i, s)", "'{:>8}|{:<8}|{:^9}'.format(s[:3], i, r)", "'{0:05d} {1:.3f} {2:,}'.format(i, r, 1234567)", "'{x!r:>12}'.format(x=s)", "'{a[b]} {b.k}'.format(a=d, b=o)", "'%5.1f|%-6s|%03d|%x|%r|%%' % (r, s, i, 255, s)", "'%(b)s' % d",
           "'%s' % s", "'%s %s' % (1, 2)", "'%d' % r", "'{:.2%} {:e} {:g} {:+d} {:#x} {:_<6}'.format(0.256, 12345.678, 1e-5, 3, 255, 'ab')", "'%e %g %G %i %o %c' % (r, big, tiny, i, 8, 'x')", "'{:010.2f}'.format(-3.14159)", "'{:=+8d}'.format(42)", "'{{}} {}'.format(1)", "'%*d' % (5, 3)"]


class Expressions:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def atom(self):
        draw = self.rng.random()
        if draw < 0.65:
            return self.rng.choice(NAMES)
        if draw < 0.95:
            return self.rng.choice(LITERALS)
        return "(" + self.rng.choice(FORMATS) + ")"

    def expression(self, depth):
        rng = self.rng
        if depth == 0:
            return self.atom()
        draw = rng.randrange(10)
        inner = self.expression(depth - 1)
        wrapped = inner if inner.isidentifier() else f"({inner})"
        if draw < 2:
            return f"{wrapped}|{rng.choice(FILTERS)}"
        if draw < 4:
            return f"{wrapped}.{rng.choice(METHODS)}"
        if draw < 5:
            return f"{wrapped}{rng.choice(SUBSCRIPTS)}"
        if draw < 6:
            return f"{wrapped} is {rng.choice(TESTS)}"
        if draw < 8:
            return f"{wrapped} {rng.choice(BINARY)} {self.expression(depth - 1)}"
        return rng.choice([f"not {wrapped}", f"-{wrapped}", f"{wrapped} if {self.expression(depth - 1)} else {self.atom()}", f"{wrapped} if {self.atom()}",
                           f"[{inner}, {self.atom()}]", "{'k': " + inner + "}", f"({inner}, {self.atom()})", f"{self.atom()} < {wrapped} <= {self.atom()}",
                           f"{wrapped} ~ {self.atom()} ~ 'x'", f"dict(a={wrapped})", f"range({wrapped})|list", f"namespace(a={wrapped}).a", f"{inner} + {self.atom()} * {self.atom()}"])

    def simple(self):
        return self.expression(self.rng.randrange(1, 4))

    def template(self):
        rng, x = self.rng, self.simple
        draw = rng.randrange(16)
        if draw < 7:
            return "{{ " + x() + " }}"
        if draw == 7:
            return ("{% for a in " + rng.choice(["l", "m", "o", "d", "u", "z", "missing", x()]) + rng.choice(["", " if a", " if a is string", " if loop is undefined"]) + " %}{{ loop.index }}{{ loop.first }}{{ loop.last }}"
                    "{{ loop.length }}{{ loop.revindex0 }}{{ loop.previtem }}|{{ loop.nextitem }}|{{ loop.cycle('x', 'y') }}{{ a }}{% set b = a %}{% else %}none{% endfor %}{{ b is defined }}{{ a is defined }}")
        if draw == 8:
            return "{% for k, v in " + rng.choice(["d.items()", "d|items", "d|dictsort", "o", "[(1, 2), (3, 4)]", x()]) + " -%} {{ k }}={{ v }} {% if v == 1 %}{% continue %}{% endif %}{% if loop.index > 2 %}{% break %}{% endif %}; {%- endfor %}"
        if draw == 9:
            return "{% macro f(a, b=" + x() + ", c='z') %}[{{ a }}|{{ b }}|{{ c }}|{{ varargs }}|{{ kwargs }}]{% endmacro %}{{ f(" + rng.choice(["", "1", "1, 2", "1, c=3", "b=1, a=2", "1, 2, 3, 4", "1, zz=2", "*l", "**{'a': 5}"]) + ") }}"
        if draw == 10:
            return "{% set ns = namespace(n=0, x=" + x() + ") %}{% for a in l %}{% set ns.n = ns.n + a %}{% set q = a %}{% endfor %}{{ ns.n }}{{ ns.x }}{{ q }}{{ ns.zz }}"
        if draw == 11:
            return "{% set v %}  " + "{{ " + x() + " }}" + "\n{% endset %}[{{ v }}]{% set w, y = " + rng.choice(["1, 2", "'ab'", "l", x()]) + " %}{{ w }}{{ y }}{% with a = 1, b = " + x() + " %}{{ a }}{{ b }}{% endwith %}{{ a }}"
        if draw == 12:
            return "a\n  {% if " + x() + " %}\n  yes\n  {% elif " + x() + " %}\nelif\n  {%- else +%}\nno\n{% endif -%}\n  z\n {# c #}\n{#- d -#} {%+ if t %} k {%+ endif +%}\n {{- " + x() + " -}} \n{% raw %}{{ x }}\n {% endraw %}\n"
        if draw == 13:
            return "{% filter " + rng.choice(["upper", "trim|title", "replace('a', 'b')", "indent(2)"]) + " %} a {{ " + x() + " }}\nb{% endfilter %}|{% macro mm(x) %}<{{ caller(x) }}>{% endmacro %}{% call(y) mm(" + x() + ") %}{{ y }}!{% endcall %}"
        if draw == 14:
            return "pre {{ s }}{% generation %}" + "{{ " + x() + " }}{% set inner = 1 %}{% endgeneration %}{{ inner }}é{% for a in m %}\n{% generation %}{{ a }}é{% endgeneration %}{% endfor %}"
        return "{%- for a in [[1, [2, [3]]], 4] recursive %}{{ loop.depth }}{% if a is number %}{{ a }}{% else %}({{ loop(a) }}){% endif %}{% endfor %}{{ " + x() + " }}"
