// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the graph-side files of this folder share.

#include "ir/op.h"

namespace hearth {

std::vector<OpInfo> selection_ops();
std::vector<OpInfo> bits_ops();

// Which dtypes an operation takes, and how the error message calls them.
struct Takes {
  bool (*allowed)(DType);
  const char* wanted;
};
inline constexpr Takes kAnything{[](DType) { return true; }, "numbers"};
inline constexpr Takes kNumbers{[](DType t) { return t != DType::boolean; }, "numbers"};
inline constexpr Takes kRealNumbers{[](DType t) { return is_int(t) || is_float(t); }, "real numbers"};
inline constexpr Takes kOrdered{[](DType t) { return !is_complex(t); }, "numbers with an order"};
inline constexpr Takes kSigned{[](DType t) { return is_inexact(t) || is_signed_int(t); }, "signed numbers"};
inline constexpr Takes kInexact{[](DType t) { return is_inexact(t); }, "a float or complex number"};
inline constexpr Takes kFloat{[](DType t) { return is_float(t); }, "a float"};
inline constexpr Takes kInteger{[](DType t) { return is_int(t); }, "integers"};
inline constexpr Takes kBits{[](DType t) { return is_int(t) || t == DType::boolean; }, "integers or bool"};

// All inputs of one dtype and shape. Error{dtype}, Error{shape}.
void check_same(const InferArgs& args);
// The rule of operations whose result is of the inputs' type.
std::function<std::vector<TensorType>(const InferArgs&)> same_type_rule(Takes takes);

}  // namespace hearth
