# SPDX-License-Identifier: Apache-2.0
# Writes unicode_tables.inc from the methods of Python's str: python3 make_unicode_tables.py > unicode_tables.inc
# What Python's methods do is what templates expect, so the tables are asked of them and not of a standard.
import sys
import unicodedata

EVERY = [chr(value) for value in range(sys.maxunicode + 1) if not 0xD800 <= value <= 0xDFFF]


def ranges(values):
    """(first, last, stride): neighbours, or every second one, as upper and lower case alternate."""
    values, at = list(values), 0
    while at < len(values):
        best = at
        for stride in (1, 2):
            end = at
            while end + 1 < len(values) and values[end + 1] - values[end] == stride:
                end += 1
            if end > best:
                best, best_stride = end, stride
        if best - at < 2 and not (best > at and best_stride == 1):
            best, best_stride = at, 1
        yield values[at], values[best], best_stride
        at = best + 1


def with_property(test):
    return ranges(ord(c) for c in EVERY if test(c))


def shifts(change):
    """(first, last, stride, shift) of the characters that change into one other."""
    by_shift = {}
    for c in EVERY:
        other = change(c)
        if len(other) == 1 and other != c:
            by_shift.setdefault(ord(other) - ord(c), []).append(ord(c))
    return sorted((*r, shift) for shift, values in by_shift.items() for r in ranges(values))


def expansions(change):
    for c in EVERY:
        other = change(c)
        if len(other) > 1:
            yield (ord(c), *[ord(o) for o in other], *[0] * (3 - len(other)))


def write(kind, name, rows):
    print(f"static constexpr {kind} {name}[] = {{")
    line = "   "
    for row in rows:
        item = " {" + ", ".join(hex(n) if n > 255 else str(n) for n in row) + "},"
        if len(line) + len(item) > 120:
            print(line)
            line = "   "
        line += item
    print(line + "\n};")


def is_cased(c):  # what str.lower() looks for around a final sigma
    return (c + "\u03a3").lower()[-1] == "\u03c2"


def is_ignorable(c):
    return not is_cased(c) and ("a" + c + "\u03a3").lower()[-1] == "\u03c2"


print("// SPDX-License-Identifier: Apache-2.0")
print(f"// Written by make_unicode_tables.py from Unicode {unicodedata.unidata_version}. Do not edit.")
print("// clang-format off")
write("CodeRange", "kAlpha", with_property(str.isalpha))
write("CodeRange", "kDecimal", with_property(str.isdecimal))
write("CodeRange", "kDigit", with_property(str.isdigit))
write("CodeRange", "kNumeric", with_property(str.isnumeric))
write("CodeRange", "kUpper", with_property(str.isupper))
write("CodeRange", "kLower", with_property(str.islower))
write("CodeRange", "kTitle", with_property(lambda c: unicodedata.category(c) == "Lt"))
write("CodeRange", "kPrintable", with_property(str.isprintable))
write("CodeRange", "kIgnorable", with_property(is_ignorable))
write("CodeShift", "kToLower", shifts(str.lower))
write("CodeShift", "kToUpper", shifts(str.upper))
write("CodeShift", "kToTitle", shifts(str.title))
write("CodeExpansion", "kToLowerMany", expansions(str.lower))
write("CodeExpansion", "kToUpperMany", expansions(str.upper))
write("CodeExpansion", "kToTitleMany", expansions(str.title))
print("// clang-format on")
