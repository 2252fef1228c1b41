#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the order of the layers in src/, and shows where the code grows long.

A folder of src/ includes only what LAYERS allows it. Operations have two sides: ops/registry.cc, ops/X/X.cc and
ops/X/*_rules.cc describe an operation to the compiler; every other file of ops/ is a kernel, which belongs to the runtime library and so must not
reach ir/ or compiler/, not even through another header. Prints lines per layer and the longest files and functions.

  tools/check_layers.py [SOURCE_FOLDER]     exit code 1 with file:line for each violation
"""

import re
import sys
from collections import namedtuple
from pathlib import Path

ENGINE = "base plan device ir ops compiler runtime array"

# layer: what it may include besides itself. Kept in DESIGN's order, top to bottom.
LAYERS = {
    "base": "",
    "plan": "base",
    "device": "base plan",
    "ir": "base plan",
    "ops": "base plan device ir",
    "ops (kernels)": "base plan device ops",
    "compiler": "base plan device ir ops",
    "runtime": "base plan device ops",  # kernels only: check_reach
    "array": "base plan device ir ops compiler runtime",
    "io": "base",
    "text": "base io",
    "nn": ENGINE + " io",
    "quant": ENGINE + " io",
    "models": ENGINE + " io text nn quant",
    "train": ENGINE + " io text nn quant models",
    "generate": ENGINE + " io text nn quant models train",
    "serve": ENGINE + " io text nn quant models train generate",
    "cli": ENGINE + " io text nn quant models train generate serve",
    "frontends": ENGINE + " io text nn quant models train generate serve cli",
}

# The only places where the rule does not hold: (file, included path, why).
EXCEPTIONS = [
    ("device/kernel_registry.cc", "ops/ops.def", "the one list of operations: a list of names, no code"),
]
# Tests and fuzz targets may include everything: they drive a folder through the ones that use it, and are in no library.
TEST_FILE = re.compile(r"(^|_)(test|fuzz)(_|\.)")

Include = namedtuple("Include", "line path")
Function = namedtuple("Function", "lines file line name")


def is_test(path):
    return bool(TEST_FILE.search(Path(path).name))


def layer_of(path):
    """Layer of a file named relative to src/; None for a folder that is not in the list."""
    parts = path.split("/")
    if parts[0] == "ops" and is_kernel(parts):
        return "ops (kernels)"
    return parts[0] if len(parts) > 1 and parts[0] in LAYERS else None


def is_kernel(parts):
    if len(parts) != 3:
        return False
    stem, suffix = parts[2].rsplit(".", 1)
    return suffix in ("cc", "cu", "metal") and stem != parts[1] and not stem.endswith("_rules")  # headers serve both sides: judged by what reaches them


def read_includes(source):
    includes = {}
    for file in sorted(source.rglob("*")):
        if file.suffix not in (".h", ".cc", ".cu", ".metal", ".inc", ".def"):
            continue
        found = []
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if match:
                found.append(Include(number, match.group(1)))
        includes[file.relative_to(source).as_posix()] = found
    return includes


def allowed(layer):
    return set(LAYERS[layer].split()) | {layer.split(" ")[0]}


def check_file(file, includes):
    """Violations of the includes that `file` names itself."""
    layer = layer_of(file)
    if layer is None:
        yield f"{file}:1: is in no layer; add its folder to tools/check_layers.py where it belongs"
        return
    for include in includes[file]:
        place = f"{file}:{include.line}: {layer} includes {include.path}"
        top = include.path.split("/")[0]
        if include.path not in includes:
            yield f"{place}, which is no file of src/; includes are written from src/ on"
        elif any((file, include.path) == exception[:2] for exception in EXCEPTIONS):
            continue
        elif top not in allowed(layer):
            yield f"{place}; {layer} may include {' '.join(sorted(allowed(layer)))}"
        elif is_test(include.path):
            yield f"{place}, which is part of the tests"


def check_reach(file, includes):
    """A kernel, and all of the runtime, must not reach the graph side through any chain of headers."""
    seen, queue = {file}, [(file, include, include.line) for include in includes[file]]
    while queue:
        via, include, line = queue.pop(0)
        if include.path in seen or include.path not in includes:
            continue
        if include.path.split("/")[0] in ("ir", "compiler"):
            chain = "" if via == file else f" (through {via})"
            yield f"{file}:{line}: {layer_of(file)} reaches {include.path}{chain}; the runtime library knows no graph"
            return
        seen.add(include.path)
        queue += [(include.path, further, line) for further in includes[include.path]]


def violations(includes):
    found = []
    for file in includes:
        if is_test(file):
            continue
        own = list(check_file(file, includes))
        if not own and layer_of(file) in ("ops (kernels)", "runtime", "device", "plan", "base"):
            own = list(check_reach(file, includes))
        found += own
    return found


def functions(source, file):
    """Functions and methods by counting braces, on code that clang-format laid out: a body opens on a line that ends in
    ") {" or the like and closes with the line whose brace stands under it."""
    lines = (source / file).read_text(encoding="utf-8", errors="replace").splitlines()
    opening = re.compile(r"^( *)\S.*\)( const| noexcept| override| -> [\w:<>&* ]+)* \{$")
    control = re.compile(r"^ *(\} )?(if|for|while|switch|else|catch|do|return|HEARTH_UNROLL)\b")
    for start, line in enumerate(lines):
        match = opening.match(line)
        if not match or control.match(line):
            continue
        indent, begin = match.group(1), start
        while begin > 0 and lines[begin].count(")") > lines[begin].count("(") and start - begin < 8:
            begin -= 1  # the parameters began on an earlier line
        name = re.search(r"([~\w:]+) ?\(", lines[begin])
        end = next((i for i in range(start + 1, len(lines)) if re.match(indent + r"\}", lines[i])), None)
        if end is not None and name and not re.search(r"\[[^\]]*\] ?\(", lines[begin]):  # a lambda is part of its function
            yield Function(end - begin + 1, file, begin + 1, name.group(1))


def print_report(source, includes):
    lines = {file: len((source / file).read_bytes().splitlines()) for file in includes}
    print(f"{'layer':<16}{'files':>6}{'lines':>8}{'tests':>8}")
    for layer in LAYERS:
        mine = [file for file in includes if layer_of(file) == layer]
        code = [file for file in mine if not is_test(file)]
        if mine:
            total = sum(lines[file] for file in code)
            print(f"{layer:<16}{len(code):>6}{total:>8}{sum(lines[file] for file in mine) - total:>8}")
    code = [file for file in includes if not file.endswith(".inc")]
    print("\nlongest files (a reader loses the thread at 400)")
    for file in sorted(code, key=lambda file: -lines[file])[:10]:
        print(f"{lines[file]:>6}  {file}")
    print("\nlongest functions (look again at 80, a kernel at 120)")
    longest = sorted((f for file in code for f in functions(source, file)), key=lambda f: -f.lines)
    for function in longest[:10]:
        print(f"{function.lines:>6}  {function.file}:{function.line}  {function.name}")


def main():
    root = Path(__file__).resolve().parent.parent
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else root / "src"
    includes = read_includes(source)
    if not includes:
        print(f"check_layers: no source files in {source}", file=sys.stderr)
        return 1
    print_report(source, includes)
    found = violations(includes)
    print(f"\n{len(found)} violations of the layer order in {len(includes)} files")
    for violation in found:
        print("src/" + violation)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
