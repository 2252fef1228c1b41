// SPDX-License-Identifier: Apache-2.0
// Which test holds which case that broke other array libraries, where it is not one of EdgeCases or EdgeCasesOfPlaces.
#include "base/test_names_test.h"

namespace hearth {
namespace {

const TestsOfCases kElsewhere = {
    {"einsum with broadcast batch axes", "Einsum.broadcast_batch_axes"},
    {"size-0 einsum", "Einsum.of_nothing"},
    {"rank-0 and size-0 matmul, K = 1", "LinearAlgebra.matmul_at_size_zero_and_k_one"},
    {"indices of gathers beyond i32", "Gather.index_above_the_range_of_i64"},
    {"reflect pad on an empty axis", "Pad.empty_axes"},
    {"base- and window-dilated reduce_window", "RandomWindow.cpu_is_like_the_reference"},
    {"convolution: groups, dilations, negative padding", "ConvolutionRules.a_batch_is_the_examples_one_by_one"},
    {"convolution: its derivatives", "ConvolutionRules.second_derivatives"},
    {"FFT of every length", "FftKernel.every_small_length"},
    {"complex magnitude", "ComplexCorners.magnitude_does_not_overflow"},
    {"complex division", "ComplexCorners.division"},
    {"random bits equal JAX's", "Random.golden_values_of_jax"},
    {"uniform below 1, normal finite in bf16", "Random.uniform_is_below_one_and_normal_finite_in_every_dtype"},
    {"vmap of random", "Random.vmap_over_keys_is_one_key_after_the_other"},
    {"derivative of norms at 0", "Linalg.norms_at_zero_have_the_derivatives_of_jax"},
    {"derivative of power at 0", "FloatCorners.derivative_of_power_at_zero"},
    {"while with a batched condition", "ArrayTransforms.loops_with_a_condition_for_each_example"},
    {"loops of 10,000 steps: flat memory", "ControlFlow.ten_thousand_steps_at_flat_memory"},
    {"eager loops of 10,000 steps", "Array.ten_thousand_steps_at_flat_memory"},
    {"graphs of 100,000 nodes, deep", "LongGraphs.chain"},
    {"graphs of 100,000 nodes, wide", "LongGraphs.wide"},
    {"equal nodes differ by attributes", "Simplify.compares_attributes"},
    {"aliasing", "Array.another_holder_keeps_the_old_elements"},
    {"a failed evaluation fails again", "Array.a_failed_evaluation_fails_again_and_the_process_lives"},
    {"sums of 16 bits", "Scatter.sixteen_bit_sums_keep_growing"},
    {"sums of 16 bits in windows", "Window.sixteen_bit_sums_keep_growing"},
};

TEST(EdgeCases, those_of_other_files_are_there) { expect_all_there(kElsewhere); }

}  // namespace
}  // namespace hearth
