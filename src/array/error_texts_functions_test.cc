// SPDX-License-Identifier: Apache-2.0
// Error texts of jit, derivatives, batching, control flow and files.
#include "array/error_texts_test.h"

namespace hearth {
namespace {

Array twice(const Array& x) { return x + x; }
Array total(const Array& x) { return sum(x); }

TEST(ErrorTexts, transforms) {
  const Array x = zeros({2, 3}), n = arange(3);
  const auto list = [](const Arrays& in) { return in; };
  const auto no_rule = [](const Arrays&, const Arrays&) { return Arrays{}; };
  const auto plus = [](const Array& a, const Array& b) { return a + b; };
  const auto shaped =
      jit([](const Array& a, const Array& size) { return a.reshape({size.item<int>()}); }, {.static_arguments = {1}});
  expect_texts({
      {"jit/reads_an_argument", [&] { jit([](const Array& y) { return y * y(0, 0).item<float>(); })(x); },
       "array: f32[] has no elements yet: it belongs to a function that is being traced (jit, grad, vmap, scan ...)\n"
       "  hint: return it from the function and read it there"},
      {"jit/no_array", [] { jit(twice)(Array()); }, "jit: argument 0 is no array yet"},
      {"jit/static_argument_missing", [&] { jit(list, {.static_arguments = {2}})({x}); },
       "jit: static_arguments names argument 2; there are 1"},
      {"jit/donated_argument_missing", [&] { jit(list, {.donate = {2}})({x}); },
       "jit: donate names argument 2; there are 1"},
      {"jit/other_static_value", [&] { shaped(x, 6), shaped(x, 4); },
       "reshape: [4] has 4 elements, x has 6\n"
       "  x is argument 0 f32[2,3]"},
      {"grad/not_scalar", [&] { grad(twice)(x); }, "grad: needs a float scalar; it is f32[2,3]"},
      {"grad/integers", [&] { grad(total)(n); }, "grad: argument 0 has no derivative: it is i32[3]"},
      {"grad/argument_missing", [&] { grad(total, {1})(x); }, "grad: argument 1 does not exist; there are 1"},
      {"grad/integer_result", [&] { grad([](const Array& y) { return sum(y.astype(DType::i32)); })(x); },
       "grad: needs a float scalar; it is i32[]"},
      {"grad/reads_an_argument", [&] { grad([](const Array& y) { return y(0, 0).item<float>() * sum(y); })(x); },
       "array: f32[] has no elements yet: it belongs to a function that is being traced (jit, grad, vmap, scan ...)\n"
       "  hint: return it from the function and read it there"},
      {"value_and_grad/not_scalar", [&] { value_and_grad(twice)(x); }, "grad: needs a float scalar; it is f32[2,3]"},
      {"jvp/tangents_missing", [&] { jvp(list, {x}, {}); }, "jvp: 0 tangents for 1 arguments"},
      {"jvp/tangent_of_other_shape", [&] { jvp(list, {x}, {zeros({2})}); },
       "jvp: tangent 0 is f32[2], the argument is f32[2,3]"},
      {"vjp/cotangent_of_other_shape", [&] { vjp(list, {x}).pull_back({zeros({2})}); },
       "vjp: cotangent 0 is f32[2], the result is f32[2,3]"},
      {"vjp/cotangents_missing", [&] { vjp(list, {x}).pull_back({}); }, "vjp: 0 cotangents for 1 results"},
      {"jacfwd/integers", [&] { jacfwd(twice)(n); }, "jacfwd: argument 0 must be a float; it is i32[3]"},
      {"jacrev/integers", [&] { jacrev(twice)(n); }, "jacrev: argument 0 must be a float; it is i32[3]"},
      {"vmap/sizes_differ", [&] { vmap(plus)(zeros({2}), zeros({3})); },
       "vmap: batch sizes differ: 2 != 3\n"
       "  argument 0 is f32[2], axis 0\n"
       "  argument 1 is f32[3], axis 0"},
      {"vmap/no_such_axis", [&] { vmap(twice, {2})(x); }, "vmap: argument 0 has no axis 2; it is f32[2,3]"},
      {"vmap/scalar", [&] { vmap(twice)(Array(1.0f)); }, "vmap: argument 0 has no axis 0; it is f32[]"},
      {"vmap/in_axes_missing", [&] { vmap(plus, {0})(x, x); }, "vmap: 1 in_axes for 2 arguments"},
      {"vmap/no_batch", [&] { vmap(twice, {std::nullopt})(x); }, "vmap: no argument has a batch axis"},
      {"vmap/out_axis", [&] { vmap(twice, {0}, {2})(x); }, "vmap: result 0 has no axis 2; it is f32[2,3]"},
      {"vmap/inside_mistake", [&] { vmap([](const Array& y) { return y.reshape({4}); })(x); },
       "reshape: [4] has 4 elements, x has 3\n"
       "  x is f32[3]"},
      {"custom_vjp/cotangents_missing", [&] { grad(custom_vjp(list, list, no_rule))({Array(1.0f)}); },
       "custom_vjp: 0 cotangents for 1 arguments"},
      {"custom_jvp/tangents_missing", [&] { jvp(custom_jvp(list, no_rule), {x}, {x}); },
       "custom_jvp: 0 tangents for 1 results"},
      {"checkpoint/no_arguments", [] { checkpoint(ArrayFunction([](const Arrays& in) { return in; }))({}); },
       "checkpoint: the function needs an argument"},
  });
}

TEST(ErrorTexts, control_flow) {
  const Array x = zeros({3});
  const auto list = [](const Arrays& in) { return in; };
  const auto yes = [](const Arrays&) { return Array(true); };
  const auto sums = [](const Arrays& in) { return Arrays{sum(in[0])}; };
  const auto ints = [](const Arrays& in) { return Arrays{in[0].astype(DType::i32)}; };
  const auto nothing = [](const Arrays&) { return Arrays{}; };
  const auto same = [](const Arrays& carry, const Arrays& in) { return ArrayScan{carry, in}; };
  const auto wider = [](const Arrays& carry, const Arrays& in) { return ArrayScan{{carry[0] + zeros({2})}, in}; };
  const auto floats = [](const Arrays& carry, const Arrays& in) { return ArrayScan{{carry[0] + in[0]}, {}}; };
  const auto loop_sums = [](const Array&, const Arrays& in) { return Arrays{sum(in[0])}; };
  expect_texts({
      {"while_loop/shape_changes", [&] { while_loop(yes, sums, {x}); },
       "while: the body gives f32[] as value 0 instead of f32[3]"},
      {"while_loop/dtype_changes", [&] { while_loop(yes, ints, {x}); },
       "while: the body gives i32[3] as value 0 instead of f32[3]"},
      {"while_loop/count_changes", [&] { while_loop(yes, nothing, {x}); },
       "while: the body gives 0 values instead of 1"},
      {"while_loop/condition_is_vector", [&] { while_loop([](const Arrays& in) { return in[0] > 0; }, list, {x}); },
       "while: the condition gives bool[3] as value 0 instead of bool[]"},
      {"while_loop/condition_is_float", [&] { while_loop([](const Arrays& in) { return sum(in[0]); }, list, {x}); },
       "while: the condition gives f32[] as value 0 instead of bool[]"},
      {"while_loop/nothing", [&] { while_loop(yes, list, {}); }, "while: needs at least one value of state"},
      {"fori_loop/shape_changes", [&] { fori_loop(0, 3, loop_sums, {x}); },
       "fori_loop: the body gives f32[] as value 0 instead of f32[3]"},
      {"cond/results_differ", [&] { cond(Array(true), list, sums, {x}); },
       "cond: on_true gives f32[3] as value 0 instead of f32[]"},
      {"cond/counts_differ", [&] { cond(Array(true), list, nothing, {x}); },
       "cond: on_true gives 1 values instead of 0"},
      {"cond/predicate_is_vector", [&] { cond(x > 0, list, list, {x}); }, "cond: pred must be bool[]; it is bool[3]"},
      {"cond/predicate_is_float", [&] { cond(Array(1.0f), list, list, {x}); },
       "cond: pred must be bool[]; it is f32[]"},
      {"switch_case/results_differ",
       [&] {
         switch_case(Array(0), {list, list, ints}, {x});
       },
       "switch_case: branch 2 gives i32[3] as value 0 instead of f32[3]"},
      {"switch_case/no_branches", [&] { switch_case(Array(0), {}, {x}); }, "switch_case: has no branch"},
      {"switch_case/index_is_float",
       [&] {
         switch_case(Array(0.5f), {list, list}, {x});
       },
       "switch_case: the index must be an integer scalar; it is f32[]"},
      {"scan/carry_changes", [&] { scan(wider, {Array(0.0f)}, {x}); },
       "scan: the body's carry gives f32[2] as value 0 instead of f32[]"},
      {"scan/carry_dtype_changes", [&] { scan(floats, {zeros({}, DType::i32)}, {x}); },
       "scan: the body's carry gives f32[] as value 0 instead of i32[]"},
      {"scan/lengths_differ",
       [&] {
         scan(same, {}, {x, zeros({4})});
       },
       "scan: first axes differ\n"
       "  x 0 is f32[3]\n"
       "  another is f32[4]"},
      {"scan/no_length", [&] { scan(same, {x}, {}); }, "scan: without xs it needs a length"},
      {"scan/scalar", [&] { scan(same, {}, {Array(1.0f)}); }, "scan: x 0 is f32[]; it needs a first axis to go along"},
      {"map/lengths_differ",
       [&] {
         map(list, {x, zeros({4})});
       },
       "scan: first axes differ\n"
       "  x 0 is f32[3]\n"
       "  another is f32[4]"},
  });
}

TEST(ErrorTexts, files) {
  const TestFolder folder;
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}";
  const auto npy = [](const std::string& text) {
    return std::string("\x93NUMPY\1\0", 8) + char(text.size()) + std::string(1, '\0') + text;
  };
  expect_texts({
      {"parse_npy/other_file", [] { parse_npy("hello, world", "a.npy"); },
       "npy: a.npy: byte 0: does not begin with \\x93NUMPY"},
      {"parse_npy/version", [] { parse_npy(std::string("\x93NUMPY\7\0\0\0", 10), "a.npy"); },
       "npy: a.npy: byte 6: format 7.0 is unknown; there are 1.0, 2.0 and 3.0"},
      {"parse_npy/cut_header", [&] { parse_npy(npy(header).substr(0, 20), "a.npy"); },
       "npy: a.npy: byte 8: a header of 55 bytes, the file ends after 20"},
      {"parse_npy/cut_elements", [&] { parse_npy(npy(header) + std::string(8, '\0'), "a.npy"); },
       "npy: a.npy: byte 65: f32[3] has 12 bytes, the file 8"},
      {"parse_npy/objects", [&] { parse_npy(npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,)}"), "a.npy"); },
       "npy: a.npy: Hearth has no type for '|O'"},
      {"parse_npy/records",
       [&] { parse_npy(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}"), "a.npy"); },
       "npy: a.npy: Hearth has no arrays of records"},
      {"parse_npy/strings", [&] { parse_npy(npy("{'descr': '<U5', 'fortran_order': False, 'shape': (3,)}"), "a.npy"); },
       "npy: a.npy: Hearth has no type for '<U5'"},
      {"parse_npy/key_missing", [&] { parse_npy(npy("{'descr': '<f4', 'shape': (3,)}"), "a.npy"); },
       "npy: a.npy: byte 10: the header needs descr, fortran_order and shape"},
      {"parse_npz/no_zip", [] { parse_npz("hello, world", "a.npz"); },
       "npz: a.npz: byte 0: too short for a zip archive"},
      {"parse_npz/empty", [] { parse_npz("", "a.npz"); }, "npz: a.npz: byte 0: too short for a zip archive"},
      {"npy_bytes/bf16", [] { npy_bytes(zeros({2}, DType::bf16)); },
       "save_npy: NumPy has no type for bf16; the array is bf16[2]\n"
       "  hint: x.astype(DType::f32) keeps every value"},
      {"save_npz/no_name",
       [&] {
         save_npz(folder / "a.npz", {{"", zeros({2})}});
       },
       "save_npz: an array's name has 0 bytes"},
      {"save_function/examples_missing", [&] { save_function(twice, {}, folder / "a.plan"); },
       "save_function: the function takes 1 arrays, 0 examples are given"},
      {"save_function/names",
       [&] {
         save_function(twice, {zeros({2})}, folder / "a.plan", {.arguments = {"x", "y"}});
       },
       "save_function: 2 names for 1 arguments"},
  });
}

}  // namespace
}  // namespace hearth
