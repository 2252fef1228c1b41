# SPDX-License-Identifier: Apache-2.0
# Writes unicode_differences.inc: ~/.cache/hearth/venv/bin/python src/text/make_unicode_differences.py
# The tokenizers library is built of crates that know Unicode 8, 9, 16 and 17, and ids must be equal to its ids on every
# character. utf8proc 2.8 and PCRE2 10.42 know Unicode 15 and 14. So this script asks the real library about every
# character, and writes down where the answers differ.
import ctypes
import os
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

utf8proc = ctypes.CDLL("libutf8proc.so.2")
utf8proc.utf8proc_category_string.restype = ctypes.c_char_p
utf8proc.utf8proc_NFKD.restype = ctypes.c_char_p
ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
CATEGORY = {c: utf8proc.utf8proc_category_string(c).decode() for c in ALL}


def ranges(characters):
    found = []
    for c in sorted(characters):
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def differing(real, ours):
    return ranges(c for c in ALL if real(chr(c)) != ours(c))


def removes(step):
    return lambda text: not step.pre_tokenize_str(text)


def empties(step):
    return lambda text: step.normalize_str(text) == ""


def is_numeric(text):
    return len(pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str("a" + text + "a")) == 3


def is_word(text):
    return pre_tokenizers.Whitespace().pre_tokenize_str("a" + text)[0][0] == "a" + text


def bert(**flags):
    given = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**dict(given, **flags))


def category(*prefixes):
    return lambda c: CATEGORY[c].startswith(prefixes)


def lower_cases():
    """(begin, end, distance) where the real library lowers otherwise than utf8proc, single characters only."""
    real = normalizers.Lowercase()
    rows = []
    for c in ALL:
        lower = real.normalize_str(chr(c))
        if len(lower) != 1 or ord(lower) == utf8proc.utf8proc_tolower(c):
            continue
        distance = ord(lower) - c
        if rows and rows[-1][1] == c - 1 and rows[-1][2] == distance:
            rows[-1][1] = c
        else:
            rows.append([c, c, distance])
    return rows


class Property(ctypes.Structure):
    _fields_ = [("category", ctypes.c_short), ("combining_class", ctypes.c_short)]


def combining_class(c):
    utf8proc.utf8proc_get_property.restype = ctypes.POINTER(Property)
    return utf8proc.utf8proc_get_property(c).contents.combining_class


def newer_than_unicode_9():
    """Characters that utf8proc decomposes or reorders and the real library's NFKD leaves alone."""
    real = normalizers.NFKD()
    for c in ALL:
        if c and real.normalize_str(chr(c)) != utf8proc.utf8proc_NFKD(chr(c).encode()).decode():
            yield c
        ccc = combining_class(c)
        if ccc:  # 0x334 has class 1, 0x345 has class 240
            pair = "\u0345" + chr(c) if ccc < 240 else chr(c) + "\u0334"
            if real.normalize_str(pair) == pair:
                yield c


def newer_categories():
    """(begin, end, category) of characters that the real library's regular expressions know and Unicode 14 does not."""
    assert unicodedata.unidata_version == "14.0.0", "needs Python 3.11: what PCRE2 10.42 knows"
    names = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cf".split()
    new = [c for c in ALL if unicodedata.category(chr(c)) == "Cn"]
    tests = [(name, removes(pre_tokenizers.Split(Regex(rf"\p{{{name}}}"), behavior="removed"))) for name in names]
    scripts = [(name, removes(pre_tokenizers.Split(Regex(rf"\p{{{name}}}"), behavior="removed"))) for name in ("Han", "Hiragana", "Katakana")]
    rows = []
    for c in new:
        found = [name for name, test in tests if test(chr(c))]
        if not found:
            continue
        key = (found[0], next((name for name, test in scripts if test(chr(c))), ""))
        if rows and rows[-1][1] == c - 1 and rows[-1][2] == key:
            rows[-1][1] = c
        else:
            rows.append([c, c, key])
    return [(begin, end, f'"{key[0]}"', f'"{key[1]}"') for begin, end, key in rows]


def scripts():
    """(begin, end, number): the real library's scripts, numbered as they come."""
    split = pre_tokenizers.UnicodeScripts()
    named = [c for c in ALL if split.pre_tokenize_str(chr(c))]
    first = []  # of each script, one character
    rows = []
    for run, _ in split.pre_tokenize_str("".join(map(chr, named))):
        number = next((i for i, c in enumerate(first) if len(split.pre_tokenize_str(c + run[0])) == 1), len(first))
        if number == len(first):
            first.append(run[0])
        rows += [(begin, end, number + 1) for begin, end in ranges(map(ord, run))]
    return rows


def write(out, kind, name, rows):
    out.write(f"static constexpr {kind} {name}[] = {{\n")
    line = "   "
    for row in rows:
        item = " {" + ", ".join(hex(n) if isinstance(n, int) and n > 255 else str(n) for n in row) + "},"
        if len(line) + len(item) > 120:
            out.write(line + "\n")
            line = "   "
        line += item
    out.write(line + "\n};\n")


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "unicode_differences.inc")
    with open(path, "w", encoding="utf-8") as out:
        out.write("// SPDX-License-Identifier: Apache-2.0\n// Written by make_unicode_differences.py. Do not edit.\n// clang-format off\n")
        punctuation = pre_tokenizers.Punctuation(behavior="removed")
        clean = bert(clean_text=True)
        write(out, "Range", "kOtherPunctuation", differing(removes(punctuation), category("P")))
        write(out, "Range", "kOtherNumeric", differing(is_numeric, category("N")))
        write(out, "Range", "kOtherWord", differing(is_word, category("L", "M", "Nd", "Nl", "Pc")))
        write(out, "Range", "kOtherCombining", differing(empties(normalizers.StripAccents()), category("M")))
        write(out, "Range", "kOtherNonspacing", differing(empties(bert(strip_accents=True)), category("Mn")))
        write(out, "Range", "kOtherCleaned", differing(empties(clean), category("Cc", "Cf", "Co")))
        write(out, "Range", "kNotInUnicode9", ranges(set(newer_than_unicode_9())))
        write(out, "LowerRange", "kOtherLower", lower_cases())
        write(out, "NewRange", "kAfterUnicode14", newer_categories())
        write(out, "ScriptRange", "kScripts", scripts())
        out.write("// clang-format on\n")


main()
