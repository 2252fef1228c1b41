// SPDX-License-Identifier: Apache-2.0
// The copies of lhs and rhs that the kernels of a convolution read. Bound by memory; a copied element of lhs is used
// window * columns times.
#include "ops/convolution/conv_pack.h"

#include <algorithm>
#include <cstring>

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
  LhsCopy(const ConvJob& job, char* to) : job_(job), p_(job.plan), steps_(lhs_steps(job)), to_(to) {
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
    const int64_t unit = job_.unit_bytes();
    char* to = to_ + index * line_units() * unit;
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
      std::memset(to, 0, size_t(line_units() * unit));
      return;
    }
    std::memset(to, 0, size_t(low_ * stride_ * unit));
    const int64_t after = low_ + valid_;
    std::memset(to + after * stride_ * unit, 0, size_t((line_ - after) * stride_ * unit));
    copy_line(outer, from, to + low_ * stride_ * unit);
  }

 private:
  void copy_line(int64_t outer, int64_t from, char* to) const {
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
      last.to = c.to + (p_.inner - 1) * job_.unit_bytes();
      last.cols = last.padded = 1;
      last.has_pair = false;
      copy_units(job_, last);
      c.padded = --c.cols;
      if (c.cols == 0) return;
    }
    copy_units(job_, c);
  }

  const ConvJob& job_;
  const ConvPlan& p_;
  LhsSteps steps_;
  char* to_;
  int64_t line_, low_, valid_, stride_, lines_ = 1;
  std::vector<int64_t> from_rows_, to_rows_;
};

}  // namespace

void copy_units(const ConvJob& job, const ConvCopy& c) {
  (job.plan.pairs ? job.kernels->copy_pairs : job.kernels->copy)(c);
}

// The window positions as they lie in memory: element offset and position along lhs.
std::vector<RhsCopy::Place> RhsCopy::places() const {
  const std::vector<ConvAxis>& axes = job_.shape.axes;
  std::vector<Place> all{{0, 0}};
  for (size_t i = 0; i < axes.size(); ++i) {
    std::vector<Place> outer;
    outer.swap(all);
    const int64_t window = axes[i].window, stride = job_.layout.rhs[i + 2];
    for (const Place& place : outer) {
      for (int64_t at = 0; at < window; ++at)
        all.push_back({place.from + at * stride, place.tap * window + (axes[i].reversed ? window - 1 - at : at)});
    }
  }
  return all;
}

RhsCopy::RhsCopy(const ConvJob& job) : job_(job), p_(job.plan) {
  const Dims& l = job.layout.rhs;
  int64_t least = l[1];
  for (size_t i = 2; i < l.size(); ++i) least = std::min(least, l[i]);
  const std::vector<Place> all = places();
  const bool odd = p_.pairs && job.shape.in_features % 2 != 0, features = p_.form == ConvForm::features;
  if (l[1] == least) {  // features lie closest: window positions in the order of terms
    std::vector<Place> by_tap(all);
    for (const Place& place : all) by_tap[size_t(place.tap)] = place;
    for (const Place& place : by_tap) {
      for (int64_t unit = 0; unit < p_.units; ++unit) add(place, unit);
    }
    in_order_ = (features || p_.window == 1) && !odd;
    return;
  }
  for (int64_t unit = 0; unit < p_.units; ++unit) {
    for (const Place& place : all) add(place, unit);
  }
  in_order_ = !features || (p_.units == 1 && !odd);
  for (const ConvAxis& axis : job.shape.axes) in_order_ = in_order_ && (!axis.reversed || axis.window == 1);
}

void RhsCopy::add(const Place& place, int64_t unit) {
  Rows& rows = p_.pairs && 2 * unit + 1 >= job_.shape.in_features ? last_ : rows_;
  rows.from.push_back(place.from + unit * (p_.pairs ? 2 : 1) * job_.layout.rhs[1]);
  rows.to.push_back(p_.term(place.tap, unit) * job_.panel_width());
}

void RhsCopy::run(int64_t part, int64_t panel, int64_t first, int64_t end, char* to) const {
  const Dims& l = job_.layout.rhs;
  const int64_t width = job_.panel_width(), col = panel * width, whole = int64_t(rows_.from.size());
  const bool groups = p_.form == ConvForm::groups;
  const int64_t step = groups ? job_.shape.out_features * l[0] : l[0];
  ConvCopy c{.dtype = job_.dtype, .from_step = step, .pair = l[1], .to = to};
  const int64_t from = part * (groups ? l[0] : p_.columns * l[0]) + col * step;
  c.from = static_cast<const char*>(job_.rhs) + from * size_bytes(job_.dtype);
  c.cols = std::min(width, p_.columns - col);
  c.padded = width;
  const auto copy_rows = [&](const Rows& rows, int64_t begin, int64_t limit) {
    c.rows = limit - begin;
    if (c.rows <= 0) return;
    c.from_rows = rows.from.data() + begin;
    c.to_rows = rows.to.data() + begin;
    copy_units(job_, c);
  };
  c.has_pair = p_.pairs;
  copy_rows(rows_, std::min(first, whole), std::min(end, whole));
  c.has_pair = false;
  copy_rows(last_, std::max<int64_t>(0, first - whole), std::max<int64_t>(0, end - whole));
}

void copy_operands(ConvJob& job, const RhsCopy& rhs, bool weights_too) {
  const int64_t panel_units = job.plan.terms() * job.panel_width(), panels = job.panels();
  const int64_t rhs_tasks = weights_too ? job.plan.parts * panels : 0;
  const int64_t unit = job.unit_bytes();
  char* weights = scratch().rhs.at_least(rhs_tasks * panel_units * unit);
  job.weights = weights;
  const auto copy_rhs = [&](int64_t i) {
    rhs.run(i / panels, i % panels, 0, job.plan.terms(), weights + i * panel_units * unit);
  };
  if (job.plan.in_place) {
    job.lhs_units = static_cast<const char*>(job.lhs);
    return gemm_for(rhs_tasks, job.threads, copy_rhs);
  }
  char* to = scratch().lhs.at_least(job.plan.copy_units * unit);
  job.lhs_units = to;
  const LhsCopy lhs(job, to);
  const int64_t lines = std::max<int64_t>(1, kTaskUnits / std::max<int64_t>(1, lhs.line_units()));
  gemm_for(rhs_tasks + ceil_div(lhs.count(), lines), job.threads, [&](int64_t i) {
    if (i < rhs_tasks) return copy_rhs(i);
    const int64_t first = (i - rhs_tasks) * lines, end = std::min(first + lines, lhs.count());
    for (int64_t line = first; line < end; ++line) lhs.run(line);
  });
}

}  // namespace hearth
