// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution/conv_plan.h"

#include <algorithm>
#include <numeric>

#include "ops/matmul/gemm_driver.h"

namespace hearth {
namespace {

constexpr size_t kMostBorders = 8;  // classes of one axis that the borders of lhs may make

// The outputs of c that meet the same window positions inside lhs, by the borders at which these change. Empty when
// there are too many.
std::vector<ConvClass> cut_at_borders(const ConvClass& c, int64_t lhs) {
  Dims cuts{0, c.count};
  for (const ConvTap& tap : c.taps) {  // inside for j in [first, end)
    const int64_t first = tap.at >= 0 ? 0 : ceil_div(-tap.at, c.lhs_step);
    const int64_t end = tap.at >= lhs ? 0 : ceil_div(lhs - tap.at, c.lhs_step);
    for (const int64_t cut : {first, end}) {
      if (cut > 0 && cut < c.count) cuts.push_back(cut);
    }
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<ConvClass> parts;
  if (cuts.size() > kMostBorders + 1) return parts;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    ConvClass part{c.first + cuts[i] * c.step, c.step, cuts[i + 1] - cuts[i], c.lhs_step, {}};
    for (const ConvTap& tap : c.taps) {
      const int64_t at = tap.at + cuts[i] * c.lhs_step;
      if (at >= 0 && at < lhs) part.taps.push_back({tap.t, at});
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

std::vector<ConvClass> conv_classes(const ConvAxis& a, bool cut) {
  const int64_t common = std::gcd(a.stride, a.lhs_dilation), step = a.lhs_dilation / common;
  std::vector<ConvClass> classes, all_cut;
  for (int64_t first = 0; first < std::min(step, a.out); ++first) {
    ConvClass c{first, step, ceil_div(a.out - first, step), a.stride / common, {}};
    for (int64_t t = 0; t < a.window; ++t) {
      const int64_t at = first * a.stride + t * a.rhs_dilation - a.low;
      if (at % a.lhs_dilation == 0) c.taps.push_back({t, at / a.lhs_dilation});
    }
    const std::vector<ConvClass> parts = cut ? cut_at_borders(c, a.lhs) : std::vector<ConvClass>();
    cut = !parts.empty();
    all_cut.insert(all_cut.end(), parts.begin(), parts.end());
    classes.push_back(std::move(c));
  }
  return cut ? all_cut : classes;
}

namespace {

struct Reach {
  int64_t low, high;  // lhs positions that are read
};
Reach reach_of(const std::vector<ConvClass>& classes) {
  Reach reach{0, 0};
  for (const ConvClass& c : classes) {
    for (const ConvTap& tap : c.taps) {
      reach.low = std::min(reach.low, tap.at);
      reach.high = std::max(reach.high, tap.at + (c.count - 1) * c.lhs_step);
    }
  }
  return reach;
}

// Estimated time of each form in vector products.
constexpr double kPointers = 2;                                            // per run: loading a pointer for each row
constexpr double kLaneLoads = 1.6;                                         // a lane product loads its lhs itself
constexpr double kCopyRows = 0.6, kCopyTransposed = 3, kCopyElements = 5;  // of copying an element of lhs
constexpr int64_t kLeastRows = 8;  // of a tile: fewer sums than that wait for each other

bool next_outputs(const ConvAxis& a) { return a.lhs_dilation == 1 && a.stride == 1; }  // neighbours read neighbours

double copy_cost(const ConvLayout& l, size_t role) {
  return l.lhs[role] == 1 ? kCopyRows : l.lhs.size() > 2 && l.lhs.back() == 1 ? kCopyTransposed : kCopyElements;
}

ConvForm choose_form(const ConvShape& s, const ConvLayout& l, bool pairs, const ConvKernels& kernels) {
  const double groups = double(s.groups()), batch = double(s.batch),
               vectors = double(ceil_div(s.out_features, kernels.lanes));
  const double units = std::max(1.0, double(s.in_features) * (pairs ? 0.5 : 1));
  double positions = 1, window = 1;
  bool holes = false;
  for (const ConvAxis& a : s.axes) {
    holes = holes || a.lhs_dilation > 1;
    positions *= double(a.lhs);
    window *= double(a.window);
  }
  double terms = window;  // products per batch element, unit and vector
  for (const ConvAxis& a : s.axes) terms *= double(a.out) / double(a.lhs_dilation);
  const double line = s.axes.empty() ? 1 : double(s.axes.back().window),
               elements = groups * batch * double(s.in_features) * positions;
  const double run = units * (!s.axes.empty() && s.axes.back().rhs_dilation == 1 ? line : 1);
  const double products = groups * batch * units * vectors * terms;
  double rows = batch;
  if (batch < kLeastRows && !s.axes.empty() && next_outputs(s.axes.back())) rows *= double(s.axes.back().out);
  const double waiting = rows < 4 * kLeastRows ? 1 + 4 / rows : 1;
  const double by_features = products * (1 + kPointers / run) + elements * copy_cost(l, 1);
  const double by_batch = holes ? 1e300 : products * (1.03 + 0.3 / line) * waiting + elements * copy_cost(l, 0);
  // Groups that lie side by side are read in place.
  const bool in_place = l.lhs[1] * s.in_features == 1;
  const double copied = in_place ? 0 : elements * (l.lhs[1] == 1 ? kCopyElements : copy_cost(l, 1));
  const double by_groups = groups == 1 ? 1e300
                                       : double(ceil_div(int64_t(groups), kernels.lanes)) * batch * terms *
                                                 double(s.in_features * s.out_features) * kLaneLoads +
                                             copied;
  if (by_groups < by_features && by_groups < by_batch) return ConvForm::groups;
  return by_batch < by_features ? ConvForm::batch : ConvForm::features;
}

void lay_out_copy(const ConvShape& s, const ConvLayout& l, DType dtype, bool aligned, const ConvKernels& kernels,
                  ConvPlan* p) {
  const bool features = p->form == ConvForm::features;
  const bool groups = p->form == ConvForm::groups;
  const int64_t group_stride = s.feature_groups > 1 ? s.in_features * l.lhs[1] : s.batch * l.lhs[0];
  const bool together = groups ? group_stride == 1 && p->inner % kernels.lanes == 0
                               : l.lhs[features ? 1 : 0] == 1 || (p->inner == 1 && !p->pairs);
  const int64_t unit = p->pairs ? 2 : 1;
  p->in_place =
      aligned && together && (p->pairs ? features && s.in_features % 2 == 0 : size_bytes(dtype) == kernels.unit_bytes);
  for (size_t i = 0; i < s.axes.size(); ++i)
    p->in_place = p->in_place && p->low[i] == 0 && p->positions[i] == s.axes[i].lhs;
  for (size_t i = 0; i < l.lhs.size(); ++i) p->in_place = p->in_place && (i == 1 || l.lhs[i] % unit == 0);
  p->strides.resize(s.axes.size());
  if (p->in_place) {
    for (size_t i = 0; i < s.axes.size(); ++i) p->strides[i] = l.lhs[i + 2] / unit;
    p->outer_stride = l.lhs[features ? 0 : 1] / unit;
    p->part_stride = groups ? 0 : group_stride / unit;
    p->copy_units = 0;
    return;
  }
  const int64_t inner = groups ? round_up(p->inner, 2 * kernels.lanes) : p->inner;
  int64_t stride = inner;
  for (size_t i = s.axes.size(); i-- > 0;) {
    p->strides[i] = stride;
    stride *= p->positions[i];
  }
  p->outer_stride = stride;
  p->part_stride = groups ? 0 : stride * p->outer;
  p->copy_units = stride * p->outer * (groups ? 1 : p->parts);
}

}  // namespace

ConvLayout conv_layout(const ConvShape& s, const TensorType& lhs, const TensorType& rhs) {
  const auto by_role = [](const Dims& dims, const Dims& axes) {
    const Dims strides = row_major_strides(dims);
    Dims list;
    for (const int64_t axis : axes) list.push_back(strides[size_t(axis)]);
    return list;
  };
  return {by_role(lhs.dims, s.lhs_axes), by_role(rhs.dims, s.rhs_axes), by_role(s.result.dims, s.out_axes)};
}

bool make_conv_plan(const ConvShape& s, const ConvLayout& l, DType dtype, bool aligned, const ConvKernels& kernels,
                    ConvPlan* p) {
  const bool can_pair = dtype == DType::bf16 && kernels.pair_tile[0] && s.in_features > 1;
  p->form = choose_form(s, l, can_pair, kernels);
  std::vector<std::vector<ConvClass>> classes;
  __int128 positions = 1, all_lhs = 1, all_out = 1;
  for (size_t i = 0; i < s.axes.size(); ++i) {
    const ConvAxis& a = s.axes[i];
    // Few batch elements: outputs along the last axis join them side by side, if they all meet the whole window.
    const bool join = p->form == ConvForm::batch && s.batch < kLeastRows && i + 1 == s.axes.size() && next_outputs(a);
    classes.push_back(conv_classes(a, !join));
    const Reach reach = reach_of(classes.back());
    p->low.push_back(-reach.low);
    p->positions.push_back(-reach.low + std::max(reach.high + 1, a.lhs));
    positions *= p->positions.back();
    all_lhs *= a.lhs;
    all_out *= a.out;
    if (positions > 64 * (all_lhs + all_out) + (1 << 20)) return false;
  }
  const bool features = p->form == ConvForm::features, groups = p->form == ConvForm::groups;
  p->pairs = can_pair && !groups;
  p->units = p->pairs ? ceil_div(s.in_features, 2) : s.in_features;
  p->parts = groups ? s.out_features : s.groups();
  p->outer = groups ? s.batch * s.in_features : features ? s.batch : p->units;
  p->inner = groups ? s.groups() : features ? p->units : s.batch;
  p->columns = groups ? s.groups() : s.out_features;
  p->out_part = groups ? l.out[1] : s.out_features * l.out[1];
  p->out_step = groups ? s.out_features * l.out[1] : l.out[1];
  p->window = 1;
  for (const ConvAxis& a : s.axes) {
    p->window_sizes.push_back(a.window);
    p->window *= a.window;
  }
  lay_out_copy(s, l, dtype, aligned, kernels, p);
  int64_t batch_stride = features ? p->outer_stride : groups ? p->outer_stride * s.in_features : 1;
  if (groups && p->in_place) batch_stride = l.lhs[0];
  const ConvRowAxis batch{{{0, 1, s.batch, 1, {}}}, s.batch, batch_stride, l.out[0]};
  if (p->form != ConvForm::batch) p->rows.push_back(batch);
  for (size_t i = 0; i < s.axes.size(); ++i) {
    p->spatial_rows.push_back(p->rows.size());
    p->rows.push_back({std::move(classes[i]), s.axes[i].out, p->strides[i], l.out[i + 2]});
  }
  if (p->form == ConvForm::batch) p->rows.push_back(batch);
  return true;
}

// The runs of all window positions along the last axis: one where they follow each other, in lhs and in the weights.
static std::vector<ConvRun> line_runs(const ConvPlan& p, const std::vector<const ConvClass*>& classes, int64_t* step) {
  const bool features = p.form == ConvForm::features;
  const int64_t length = features ? p.units : 1;
  if (classes.empty()) return {{0, length, 0}};
  const std::vector<ConvTap>& taps = classes.back()->taps;
  const int64_t stride = p.strides.back();
  if (!features && taps.size() > 1) *step = (taps[1].at - taps[0].at) * stride;
  std::vector<ConvRun> runs;
  for (const ConvTap& tap : taps) {
    const ConvRun run{(tap.at + p.low.back()) * stride, length, p.term(tap.t, 0)};
    if (!runs.empty()) {
      ConvRun& last = runs.back();
      if (run.k == last.k + last.length && run.offset == last.offset + last.length * *step) {
        last.length += length;
        continue;
      }
    }
    runs.push_back(run);
  }
  return runs;
}

ConvRuns conv_runs(const ConvPlan& p, const std::vector<const ConvClass*>& classes, int64_t block_terms, bool by_term) {
  ConvRuns r;
  const std::vector<ConvRun> line = line_runs(p, classes, &r.step);
  int64_t lines = 1;
  for (size_t a = 0; a + 1 < classes.size(); ++a) lines *= int64_t(classes[a]->taps.size());
  const int64_t outer = p.form == ConvForm::features ? 1 : p.units;
  for (int64_t unit = 0; unit < outer; ++unit) {
    for (int64_t i = 0; i < lines; ++i) {
      int64_t rest = i, offset = unit * p.outer_stride, t = 0;
      int64_t scale = classes.empty() ? 1 : p.window_sizes.back();
      for (size_t a = classes.size(); a-- > 1;) {
        const std::vector<ConvTap>& taps = classes[a - 1]->taps;
        const ConvTap& tap = taps[size_t(rest % int64_t(taps.size()))];
        rest /= int64_t(taps.size());
        offset += (tap.at + p.low[a - 1]) * p.strides[a - 1];
        t += tap.t * scale;
        scale *= p.window_sizes[a - 1];
      }
      const int64_t k = p.term(t, unit);
      for (const ConvRun& run : line) r.runs.push_back({run.offset + offset, run.length, run.k + k});
    }
  }
  std::vector<ConvRun> cut;  // no run crosses a block
  int64_t done = 0;
  for (ConvRun run : r.runs) {
    while (run.length > 0) {
      const int64_t at = by_term ? run.k : done, block = at / block_terms;
      while (int64_t(r.blocks.size()) <= block) r.blocks.push_back(cut.size());
      const int64_t length = std::min((block + 1) * block_terms - at, run.length);
      cut.push_back({run.offset, length, run.k});
      run.offset += length * r.step;
      run.k += length;
      run.length -= length;
      done += length;
    }
  }
  const int64_t blocks = by_term ? ceil_div(p.terms(), block_terms) : std::max<int64_t>(1, int64_t(r.blocks.size()));
  while (int64_t(r.blocks.size()) <= blocks) r.blocks.push_back(cut.size());
  r.runs = std::move(cut);
  return r;
}

}  // namespace hearth
