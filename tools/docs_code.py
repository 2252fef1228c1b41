#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes one C++ program of the ```cpp blocks of documents: a function for each document, its blocks one after the other, so
that later ones use what earlier ones made.   docs_code.py OUTPUT.cc PAGE.md...      The program: docs_code PAGE"""
import pathlib
import re
import sys

BEGIN = """\
// SPDX-License-Identifier: Apache-2.0
// Made of the documents by tools/docs_code.py.
#include <cstring>
#include <exception>
#include <iostream>
"""
MAIN = """\
int main(int argc, char** argv) try {
  static constexpr struct {
    const char* name;
    void (*run)();
  } kPages[] = {%s};
  for (const auto& page : kPages)
    if (argc == 2 && std::strcmp(page.name, argv[1]) == 0) return page.run(), 0;
  std::cerr << "usage: docs_code PAGE\\n";
  return 2;
} catch (const std::exception& error) {
  std::cerr << "error: " << error.what() << "\\n";
  return 1;
}
"""


def blocks_of(page):
    """(line, text) of each ```cpp block."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```cpp\n(.*?)^```$", text, re.M | re.S):
        yield text[: found.start(1)].count("\n") + 1, found.group(1)


def main(output, *names):
    includes, functions, table = [], [], []
    for name in names:
        page = pathlib.Path(name)
        body = ""
        for line, text in blocks_of(page):
            includes += re.findall(r"^#include .*$", text, re.M)
            # Blank lines in place of the includes: the compiler's errors name the document's lines.
            text = re.sub(r"^(#include|using namespace hearth;).*$", "", text, flags=re.M)
            body += f'#line {line} "{page.name}"\n{text}'
        functions.append(f"static void run_{page.stem}() {{\n{body}}}\n")
        table.append(f'{{"{page.stem}", run_{page.stem}}}')
    includes = "".join(f"{line}\n" for line in sorted(set(includes)))
    source = BEGIN + includes + "using namespace hearth;\n" + "".join(functions) + MAIN % ", ".join(table)
    pathlib.Path(output).write_text(source, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
