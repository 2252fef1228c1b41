// SPDX-License-Identifier: Apache-2.0
// The copies of lhs and rhs that the kernels of a convolution read. Bound by memory; a copied element of lhs is used
// window * columns times.
#include <algorithm>
#include <cstring>

#include "ops/convolution/conv_run.h"
#include "ops/matmul/gemm_driver.h"

namespace hearth {
namespace {

constexpr int64_t kTaskUnits = 1 << 15;  // units that a task copies

struct CopyScratch {
  GemmBuffer lhs, rhs;
};
CopyScratch& scratch() {
  static thread_local CopyScratch buffers;
  return buffers;
}

void copy(const ConvJob& job, const ConvCopy& c) { (job.plan.pairs ? job.kernels->copy_pairs : job.kernels->copy)(c); }

// Elements between neighbours of lhs in the roles of its copy.
struct LhsSteps {
  int64_t part, outer, inner, pair;
};
LhsSteps lhs_steps(const ConvJob& job) {
  const ConvShape& s = job.shape;
  const Dims& l = job.layout.lhs;
  const int64_t unit = job.plan.pairs ? 2 : 1;
  const int64_t group = s.feature_groups > 1 ? s.in_features * l[1] : s.batch * l[0];
  switch (job.plan.form) {
    case ConvForm::features: return {group, l[0], unit * l[1], l[1]};
    case ConvForm::batch: return {group, unit * l[1], l[0], l[1]};
    case ConvForm::groups: break;
  }
  return {0, 0, group, 0};
}

// The lines of the copy: all positions along the last axis.
class LhsCopy {
 public:
  LhsCopy(const ConvJob& job, float* to) : job_(job), p_(job.plan), steps_(lhs_steps(job)), to_(to) {
    const size_t n = p_.positions.size();
    line_ = n ? p_.positions[n - 1] : 1;
    low_ = n ? p_.low[n - 1] : 0;
    valid_ = n ? job.shape.axes[n - 1].lhs : 1;
    stride_ = n ? p_.strides[n - 1] : p_.outer_stride;
    for (int64_t i = 0; i < valid_; ++i) {
      from_rows_.push_back(n ? i * job.layout.lhs[n + 1] : 0);
      to_rows_.push_back(i * stride_);
    }
    for (size_t i = 0; i + 1 < n; ++i) lines_ *= p_.positions[i];
  }
  int64_t count() const { return (p_.form == ConvForm::groups ? 1 : p_.parts) * p_.outer * lines_; }
  int64_t line_units() const { return line_ * stride_; }

  void run(int64_t index) const {
    const int64_t block = index / lines_, part = block / p_.outer, outer = block % p_.outer;
    float* to = to_ + index * line_units();
    int64_t rest = index % lines_, from = part * steps_.part;
    bool inside = valid_ > 0;
    for (size_t i = p_.positions.size(); i-- > 1;) {
      const size_t axis = i - 1;
      const int64_t at = rest % p_.positions[axis] - p_.low[axis];
      rest /= p_.positions[axis];
      inside = inside && at >= 0 && at < job_.shape.axes[axis].lhs;
      from += at * job_.layout.lhs[axis + 2];
    }
    if (!inside) {
      std::memset(to, 0, size_t(line_units()) * 4);
      return;
    }
    std::memset(to, 0, size_t(low_ * stride_) * 4);
    const int64_t after = low_ + valid_;
    std::memset(to + after * stride_, 0, size_t((line_ - after) * stride_) * 4);
    copy_line(outer, from, to + low_ * stride_);
  }

 private:
  void copy_line(int64_t outer, int64_t from, float* to) const {
    const ConvShape& s = job_.shape;
    ConvCopy c{.dtype = job_.dtype,
               .from_rows = from_rows_.data(),
               .from_step = steps_.inner,
               .pair = steps_.pair,
               .to = to,
               .to_rows = to_rows_.data(),
               .rows = valid_};
    if (p_.form == ConvForm::groups)
      from += outer / s.in_features * job_.layout.lhs[0] + outer % s.in_features * job_.layout.lhs[1];
    else
      from += outer * steps_.outer;
    c.from = static_cast<const char*>(job_.lhs) + from * size_bytes(job_.dtype);
    c.cols = p_.inner;
    c.padded = p_.form == ConvForm::groups ? stride_ : p_.inner;
    c.has_pair = p_.pairs && (p_.form == ConvForm::features || 2 * outer + 1 < s.in_features);
    if (p_.pairs && p_.form == ConvForm::features && s.in_features % 2) {  // the last feature has no second
      ConvCopy last = c;
      last.from = static_cast<const char*>(c.from) + (p_.inner - 1) * steps_.inner * 2;
      last.to = c.to + p_.inner - 1;
      last.cols = last.padded = 1;
      last.has_pair = false;
      copy(job_, last);
      c.padded = --c.cols;
      if (c.cols == 0) return;
    }
    copy(job_, c);
  }

  const ConvJob& job_;
  const ConvPlan& p_;
  LhsSteps steps_;
  float* to_;
  int64_t line_, low_, valid_, stride_, lines_ = 1;
  std::vector<int64_t> from_rows_, to_rows_;
};

// The weights [parts][panels][terms][width]: rows of a panel in the order of memory, so that neighbours are read
// together.
class RhsCopy {
 public:
  RhsCopy(const ConvJob& job, float* to) : job_(job), p_(job.plan), to_(to) {
    const Dims& l = job.layout.rhs;
    int64_t least = l[1];
    for (size_t i = 2; i < l.size(); ++i) least = std::min(least, l[i]);
    const bool features_last = l[1] == least;
    const int64_t outer = features_last ? p_.window : p_.units, inner = features_last ? p_.units : p_.window;
    for (int64_t i = 0; i < outer; ++i) {
      for (int64_t j = 0; j < inner; ++j) add(features_last ? i : j, features_last ? j : i);
    }
  }
  int64_t count() const { return p_.parts * job_.panels(); }

  void run(int64_t index) const {
    const Dims& l = job_.layout.rhs;
    const int64_t part = index / job_.panels(), width = job_.panel_width(), col = index % job_.panels() * width;
    const bool groups = p_.form == ConvForm::groups;
    const int64_t step = groups ? job_.shape.out_features * l[0] : l[0];
    ConvCopy c{.dtype = job_.dtype, .from_step = step, .pair = l[1]};
    const int64_t from = part * (groups ? l[0] : p_.columns * l[0]) + col * step;
    c.from = static_cast<const char*>(job_.rhs) + from * size_bytes(job_.dtype);
    c.to = to_ + index * p_.terms() * width;
    c.cols = std::min(width, p_.columns - col);
    c.padded = width;
    for (const Rows* rows : {&rows_, &last_}) {
      c.from_rows = rows->from.data();
      c.to_rows = rows->to.data();
      c.rows = int64_t(rows->from.size());
      c.has_pair = p_.pairs && rows == &rows_;
      if (c.rows > 0) copy(job_, c);
    }
  }

 private:
  struct Rows {
    std::vector<int64_t> from, to;
  };
  // The term of a window position, counted as it lies in memory, and a unit.
  void add(int64_t position, int64_t unit) {
    const ConvShape& s = job_.shape;
    int64_t rest = position, tap = 0, scale = 1;
    int64_t from = unit * (p_.pairs ? 2 : 1) * job_.layout.rhs[1];
    for (size_t i = s.axes.size(); i-- > 0;) {
      const int64_t at = rest % s.axes[i].window;
      rest /= s.axes[i].window;
      from += at * job_.layout.rhs[i + 2];
      tap += (s.axes[i].reversed ? s.axes[i].window - 1 - at : at) * scale;
      scale *= s.axes[i].window;
    }
    Rows& rows = p_.pairs && 2 * unit + 1 >= s.in_features ? last_ : rows_;
    rows.from.push_back(from);
    rows.to.push_back(p_.term(tap, unit) * job_.panel_width());
  }

  const ConvJob& job_;
  const ConvPlan& p_;
  float* to_;
  Rows rows_, last_;  // last_: units that are no whole pairs
};

}  // namespace

void copy_operands(ConvJob& job) {
  float* weights = reinterpret_cast<float*>(
      scratch().rhs.at_least(job.plan.parts * job.panels() * job.plan.terms() * job.panel_width() * 4));
  job.weights = weights;
  const RhsCopy rhs(job, weights);
  if (job.plan.in_place) {
    job.lhs_units = static_cast<const float*>(job.lhs);
    return gemm_for(rhs.count(), job.threads, [&](int64_t i) { rhs.run(i); });
  }
  float* to = reinterpret_cast<float*>(scratch().lhs.at_least(job.plan.copy_units * 4));
  job.lhs_units = to;
  const LhsCopy lhs(job, to);
  const int64_t lines = std::max<int64_t>(1, kTaskUnits / std::max<int64_t>(1, lhs.line_units()));
  const int64_t lhs_tasks = ceil_div(lhs.count(), lines);
  gemm_for(rhs.count() + lhs_tasks, job.threads, [&](int64_t i) {
    if (i < rhs.count()) return rhs.run(i);
    const int64_t first = (i - rhs.count()) * lines, end = std::min(first + lines, lhs.count());
    for (int64_t line = first; line < end; ++line) lhs.run(line);
  });
}

}  // namespace hearth
