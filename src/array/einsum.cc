// SPDX-License-Identifier: Apache-2.0
#include "array/einsum.h"

#include <algorithm>

#include "array/einsum_equation.h"
#include "array/recording.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linalg/linalg_functions.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

struct Operand {
  Value value;
  Labels labels;  // one per axis, all different once prepared
};

int64_t position(const Labels& labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) - labels.begin();
}

Operand ordered(const Operand& x, const Labels& labels) {
  Dims order;
  for (const Label label : labels) order.push_back(position(x.labels, label));
  return {transpose(x.value, order), labels};
}

// Axes of size 1 that stretch go: the other operands have them.
Operand without_stretched(const Operand& x, const EinsumEquation& e) {
  Operand out{x.value, {}};
  Dims kept;
  for (size_t i = 0; i < x.labels.size(); ++i) {
    if (x.value.dim(int64_t(i)) == 1 && e.sizes.at(x.labels[i]) != 1) continue;
    out.labels.push_back(x.labels[i]);
    kept.push_back(x.value.dim(int64_t(i)));
  }
  if (out.labels.size() < x.labels.size()) out.value = reshape(x.value, kept);
  return out;
}

// A label that stands twice: both axes to the end, of which the diagonal is one.
Operand without_repeats(Operand x) {
  for (;;) {
    size_t second = 0, first = 0;
    for (size_t i = 0; i < x.labels.size() && second == 0; ++i) {
      first = size_t(position(x.labels, x.labels[i]));
      if (first < i) second = i;
    }
    if (second == 0) return x;
    Dims order;
    Labels labels;
    for (size_t i = 0; i < x.labels.size(); ++i) {
      if (i == first || i == second) continue;
      order.push_back(int64_t(i));
      labels.push_back(x.labels[i]);
    }
    order.insert(order.end(), {int64_t(first), int64_t(second)});
    labels.push_back(x.labels[first]);
    x = {diagonal(transpose(x.value, order)), labels};
  }
}

bool is_needed(Label label, const std::vector<Operand>& others, const Labels& output) {
  return has_label(output, label) ||
         std::any_of(others.begin(), others.end(), [&](const Operand& o) { return has_label(o.labels, label); });
}

// Labels that nobody else needs are summed over.
Operand summed(const Operand& x, const std::vector<Operand>& others, const Labels& output) {
  Dims axes;
  Labels kept;
  for (size_t i = 0; i < x.labels.size(); ++i) {
    if (is_needed(x.labels[i], others, output))
      kept.push_back(x.labels[i]);
    else
      axes.push_back(int64_t(i));
  }
  return {reduce_sum(x.value, axes), kept};
}

// With the axes of these labels, in their order; those that it lacks have size 1.
Value aligned(const Operand& x, const Labels& labels) {
  Labels own;
  Dims dims;
  for (const Label label : labels) {
    const bool has = has_label(x.labels, label);
    if (has) own.push_back(label);
    dims.push_back(has ? x.value.dim(position(x.labels, label)) : 1);
  }
  return reshape(ordered(x, own).value, dims);
}

// Without axes to sum over a product is element-wise.
Operand elementwise_product(const Operand& a, const Operand& b) {
  Labels labels = a.labels;
  for (const Label label : b.labels)
    if (!has_label(labels, label)) labels.push_back(label);
  return {aligned(a, labels) * aligned(b, labels), labels};
}

// Labels of both that others need are batch axes, those that nobody needs are contracted.
Operand product(Operand a, Operand b, const std::vector<Operand>& others, const Labels& output) {
  std::vector<Operand> with = others;
  with.push_back(b);
  a = summed(a, with, output);
  with.back() = a;
  b = summed(b, with, output);
  DotAxes axes;
  Labels batch, a_free, b_free;
  for (size_t i = 0; i < a.labels.size(); ++i) {
    const Label label = a.labels[i];
    const int64_t in_b = has_label(b.labels, label) ? position(b.labels, label) : -1;
    if (in_b < 0) {
      a_free.push_back(label);
    } else if (is_needed(label, others, output)) {
      batch.push_back(label);
      axes.a_batch.push_back(int64_t(i));
      axes.b_batch.push_back(in_b);
    } else {
      axes.a_contract.push_back(int64_t(i));
      axes.b_contract.push_back(in_b);
    }
  }
  if (axes.a_contract.empty()) return elementwise_product(a, b);
  for (const Label label : b.labels)
    if (!has_label(a.labels, label)) b_free.push_back(label);
  Labels labels = batch;
  labels.insert(labels.end(), a_free.begin(), a_free.end());
  labels.insert(labels.end(), b_free.begin(), b_free.end());
  return {dot_general(a.value, b.value, axes), labels};
}

EinsumEquation equation_of(const std::string& text, const Arrays& operands) {
  HEARTH_CHECK(!operands.empty(), value, "einsum: needs at least one operand");
  std::vector<Dims> shapes;
  for (const Array& x : operands) shapes.push_back(x.shape());
  return read_equation(text, shapes);
}

// Labels as they are once diagonals are taken and stretched axes are gone.
EinsumEquation simplified(EinsumEquation e, const Arrays& operands) {
  for (size_t i = 0; i < e.operands.size(); ++i) {
    Labels labels;
    for (size_t axis = 0; axis < e.operands[i].size(); ++axis) {
      const Label label = e.operands[i][axis];
      const bool stretched = operands[i].shape()[axis] == 1 && e.sizes.at(label) != 1;
      if (!stretched && !has_label(labels, label)) labels.push_back(label);
    }
    e.operands[i] = labels;
  }
  return e;
}

}  // namespace

Array einsum(const std::string& text, const Arrays& operands) {
  const EinsumEquation e = equation_of(text, operands);
  const ContractionPath path = contraction_path(simplified(e, operands));
  const std::lock_guard lock(array_mutex());
  const PromotedType type = promoted(operands);
  const bool is_bool = type.dtype == DType::boolean;
  const Values values = to_values(operands, is_bool ? DType::i32 : type.dtype);
  std::vector<Operand> left;
  for (size_t i = 0; i < values.size(); ++i)
    left.push_back(without_repeats(without_stretched({values[i], e.operands[i]}, e)));
  for (const auto& [i, j] : path) {
    const Operand a = left[size_t(i)], b = left[size_t(j)];
    left.erase(left.begin() + j);
    left.erase(left.begin() + i);
    left.push_back(product(a, b, left, e.output));
  }
  const Value y = ordered(summed(left[0], {}, e.output), e.output).value;
  return from_value(is_bool ? convert(y, DType::boolean) : y, type.weak);
}

std::vector<std::pair<int64_t, int64_t>> einsum_path(const std::string& text, const Arrays& operands) {
  return contraction_path(simplified(equation_of(text, operands), operands));
}

}  // namespace hearth
