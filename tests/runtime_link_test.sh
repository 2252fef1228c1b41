#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proves that the runtime library stands alone: it neither defines nor asks for anything of the graph, the compiler, the
# operations' graph sides, io or what lies below them, and links no library of theirs.
#   runtime_link_test.sh LIBRARY [PROGRAM]     LIBRARY: libhearth_runtime.a or .so; PROGRAM: one linked with it alone
set -eu

library=${1:?usage: runtime_link_test.sh LIBRARY [PROGRAM]}
program=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Names (demangled) that only those parts have. \b keeps hearth::Graph from matching hearth::GraphX.
forbidden='hearth::(Graph|Value|Node|OpInfo|InferArgs|VjpArgs|Offer|Array|Tokenizer)\b'
forbidden="$forbidden|hearth::(find_op|all_ops|compile|simplify|partition|fuse|schedule|verify|grad|vjp|vmap|jit)\\("
forbidden="$forbidden|hearth::[a-z_0-9]+_ops\\(|hearth::(Safetensors|Gguf|Json|HfFolder)|safetensors|nlohmann|CLI::"

check() {
  file=$1
  option=
  case $file in *.so*) option=-D ;; esac
  # nm of a stripped or wrong file prints nothing, and an empty list would pass every check below.
  nm -C $option "$file" >"$work/symbols" 2>"$work/errors" || { cat "$work/errors" >&2; exit 1; }
  grep -q 'hearth::Session::run()' "$work/symbols" || { echo "FAIL $file: has no hearth::Session::run(); is it the runtime?" >&2; exit 1; }
  if grep -E "$forbidden" "$work/symbols" >"$work/found"; then
    echo "FAIL $file: names what the runtime may not know:" >&2
    head -20 "$work/found" >&2
    exit 1
  fi
  echo "ok $(wc -l <"$work/symbols") symbols of $(basename "$file"), none of the graph, compiler or io"
}

check "$library"
for file in "$library" $program; do
  case $file in *.a) continue ;; esac
  ldd "$file" >"$work/libraries"
  if grep -E 'python|sentencepiece|dnnl|libhearth_(compiler|graph|io|nn|train)|libhearth\.so' "$work/libraries" >&2; then
    echo "FAIL $file: links the libraries above" >&2
    exit 1
  fi
  echo "ok $(basename "$file") links $(wc -l <"$work/libraries") libraries"
done
[ -z "$program" ] || check "$program"
