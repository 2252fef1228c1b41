// SPDX-License-Identifier: Apache-2.0
// Runs the plan that examples/custom_operation.cc saved. Links hearth_runtime and the operation's kernel: no graph, no
// derivatives, no compiler.
#include <iostream>

#include "plan/plan_file.h"
#include "runtime/session.h"
#include "softcap_kernel.h"

using namespace hearth;

static void print(const Session& session, const char* name) {
  std::vector<float> values(size_t(session.output_type(session.output_index(name)).elements()));
  session.read_output(session.output_index(name), values.data());
  std::cout << name << ":";
  for (const float value : values) std::cout << " " << value;
  std::cout << "\n";
}

int main(int argc, char** argv) try {
  if (argc != 2) throw std::runtime_error("usage: run_custom_plan PLAN");
  register_softcap_kernel();
  Session session(load_plan(argv[1]));
  std::vector<float> x{-8, -1, 0, 1, 8};
  session.bind_input("x", x.data());
  session.run();
  print(session, "y");
  print(session, "dx");
} catch (const std::exception& error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
