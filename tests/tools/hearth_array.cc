// SPDX-License-Identifier: Apache-2.0
// hearth_array INPUTS.npz CASES.json RESULTS.npz: calls functions of the array library, for
// tests/interop/array_test.py; `hearth_array` alone lists them. Result I of case C is written as "C.I", one of bf16 as
// "C.I.bf16" of u16; an error's text as "C.error". A case with "jit": true runs inside a jitted function; one with
// "weights" gives the results and then what vjp makes of these cotangents of theirs.
#include <cstdio>

#include "array_calls/call.h"
#include "base/error.h"
#include "base/file.h"

using namespace hearth;

namespace {

CallTable all_calls() {
  CallTable table;
  add_creation_calls(table);
  add_elementwise_calls(table);
  add_indexing_calls(table);
  add_linear_algebra_calls(table);
  add_manipulation_calls(table);
  add_neural_calls(table);
  add_numpy_calls(table);
  add_statistics_calls(table);
  add_transform_calls(table);
  return table;
}

Arrays call(const CallFunction& f, const Json& json, const NamedArrays& inputs) {
  const Call in(json, inputs);
  const ArrayFunction of_list = [&](const Arrays& x) { return f(in.with(x)); };
  if (json.value("jit", false)) return jit(of_list)(in.arrays());
  if (!json.contains("weights")) return f(in);
  const ArrayVjp derivative = vjp(of_list, in.arrays());
  Arrays weights, all = derivative.outputs;
  for (const Json& w : json.at("weights")) weights.push_back(in.array(w));
  for (const Array& d : derivative.pull_back(weights)) all.push_back(d);
  return all;
}

void keep(NamedArrays& results, const std::string& name, const Array& x) {
  x.eval();
  if (x.dtype() == DType::bf16)
    results[name + ".bf16"] = array_from_bytes({DType::u16, x.shape()}, x.data());
  else
    results[name] = x;
}

void run_case(const CallTable& table, const Json& json, const NamedArrays& inputs, NamedArrays& results,
              const std::string& name) {
  const auto found = table.find(json.at("f").get<std::string>());
  HEARTH_CHECK(found != table.end(), value, "hearth_array: no function ", json.at("f").dump());
  try {
    const Arrays out = call(found->second, json, inputs);
    for (size_t i = 0; i < out.size(); ++i) keep(results, cat(name, ".", i), out[i]);
  } catch (const Error& error) {
    results[name + ".error"] = text_array(error.what());
  }
}

int run(int argc, char** argv) {
  const CallTable table = all_calls();
  if (argc != 4) {
    for (const auto& [name, f] : table) std::printf("%s\n", name.c_str());
    return 0;
  }
  const NamedArrays inputs = load_npz(argv[1]);
  const Json cases = Json::parse(read_file(argv[2], int64_t{1} << 30));
  NamedArrays results;
  for (size_t i = 0; i < cases.size(); ++i) run_case(table, cases.at(i), inputs, results, std::to_string(i));
  save_npz(argv[3], results);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
