# SPDX-License-Identifier: Apache-2.0
# Writes nfc_tables.inc from Python's unicodedata: python3 make_nfc_tables.py > nfc_tables.inc
# Hangul syllables are left out: nfc.cc computes them. So are the marks and the one composition that came after Unicode
# 9.0, whose tables the tokenizers library uses: ids must be equal to that library's, on new characters too.
import sys
import unicodedata

AFTER_UNICODE_9 = [
    (0x7FD, 0x7FD), (0x898, 0x89F), (0x8CA, 0x8D3), (0x9FE, 0x9FE), (0xC3C, 0xC3C), (0xD3B, 0xD3C), (0xEBA, 0xEBA),
    (0x1715, 0x1715), (0x1ABF, 0x1ACE), (0x1DF6, 0x1DFA), (0xA82C, 0xA82C), (0x10D24, 0x10D27), (0x10EAB, 0x10EAC),
    (0x10F46, 0x10F50), (0x10F82, 0x10F85), (0x11070, 0x11070), (0x1133B, 0x1133B), (0x1145E, 0x1145E),
    (0x11839, 0x1183A), (0x11938, 0x11938), (0x1193D, 0x1193E), (0x11943, 0x11943), (0x119E0, 0x119E0),
    (0x11A34, 0x11A34), (0x11A47, 0x11A47), (0x11A99, 0x11A99), (0x11D42, 0x11D42), (0x11D44, 0x11D45),
    (0x11D97, 0x11D97), (0x16FF0, 0x16FF1), (0x1E130, 0x1E136), (0x1E2AE, 0x1E2AE), (0x1E2EC, 0x1E2EF),
]


def is_known(value):
    return not any(begin <= value <= end for begin, end in AFTER_UNICODE_9)


def decompositions():
    for value in range(sys.maxunicode + 1):
        text = unicodedata.decomposition(chr(value))
        if text and not text.startswith("<") and is_known(value):
            parts = [int(p, 16) for p in text.split()]
            composes = unicodedata.normalize("NFC", chr(value)) == chr(value)
            yield value, parts[0], parts[1] if len(parts) > 1 else 0, int(composes)


def class_ranges():
    begin, current = 0, 0
    for value in range(sys.maxunicode + 2):
        ccc = unicodedata.combining(chr(value)) if value <= sys.maxunicode and is_known(value) else 0
        if ccc != current:
            if current:
                yield begin, value - 1, current
            begin, current = value, ccc


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


print("// SPDX-License-Identifier: Apache-2.0")
print(f"// Written by make_nfc_tables.py from Unicode {unicodedata.unidata_version} less what came after 9.0. Do not edit.")
print("// clang-format off")
write("Decomposition", "kDecompositions", decompositions())
write("ClassRange", "kClassRanges", class_ranges())
print("// clang-format on")
