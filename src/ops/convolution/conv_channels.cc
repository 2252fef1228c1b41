// SPDX-License-Identifier: Apache-2.0
// Small groups of channels that lie side by side, depthwise ones among them: read, multiplied and written where they
// lie. A task is one line of outputs along the last axis.
#include <bit>

#include "ops/convolution/conv_pack.h"
#include "ops/convolution/conv_run.h"
#include "ops/matmul/gemm_driver.h"

namespace hearth {
namespace {

constexpr int64_t kMostMembers = 8;  // of a group: more, and a product of matrices is faster

bool suits(const ConvJob& job) {
  const ConvShape& s = job.shape;
  const ConvLayout& l = job.layout;
  if (s.feature_groups == 1 || s.axes.empty() || l.lhs[1] != 1 || l.out[1] != 1) return false;
  const int64_t group = s.in_features;
  if (group != s.out_features || group > kMostMembers || !std::has_single_bit(uint64_t(group))) return false;
  if (group > 1 && (job.unit_bytes() != 4 || group > job.kernels->lanes)) return false;
  if (s.feature_groups * group < job.kernels->lanes) return false;
  for (const ConvAxis& a : s.axes) {
    if (a.lhs_dilation != 1 || a.out == 0 || a.window == 0) return false;
  }
  return true;
}

bool all_inside(const std::vector<ConvClass>& classes, int64_t lhs) {
  for (const ConvClass& c : classes) {
    for (const ConvTap& tap : c.taps) {
      if (tap.at < 0 || tap.at + (c.count - 1) * c.lhs_step >= lhs) return false;
    }
  }
  return true;
}

// The weights as [window][in feature][out feature]; where they lie that way, in place.
struct Weights {
  const char* data;
  Dims strides;  // in features, then window positions per axis
};
Weights weights_of(const ConvJob& job) {
  const ConvShape& s = job.shape;
  const Dims& l = job.layout.rhs;
  const bool units = size_bytes(job.dtype) == job.unit_bytes();
  if (l[0] == 1 && units) return {static_cast<const char*>(job.rhs), Dims(l.begin() + 1, l.end())};
  static thread_local GemmBuffer buffer;
  const int64_t features = s.feature_groups * s.out_features;
  Weights w{nullptr, Dims(s.axes.size() + 1)};
  w.strides[0] = features;
  int64_t stride = features * s.in_features;
  for (size_t a = s.axes.size(); a-- > 0;) {
    w.strides[a + 1] = stride;
    stride *= s.axes[a].window;
  }
  char* to = buffer.at_least(stride * job.unit_bytes());
  w.data = to;
  std::vector<int64_t> from_rows, to_rows;
  for (int64_t at = 0; at < stride; at += features) {
    int64_t from = 0, rest = at;
    for (size_t a = 0; a < s.axes.size(); ++a) {
      from += rest / w.strides[a + 1] * l[a + 2];
      rest %= w.strides[a + 1];
    }
    from_rows.push_back(from + rest / features * l[1]);
    to_rows.push_back(at);
  }
  job.kernels->copy({.from = job.rhs,
                     .dtype = job.dtype,
                     .from_rows = from_rows.data(),
                     .from_step = l[0],
                     .to = to,
                     .to_rows = to_rows.data(),
                     .rows = int64_t(from_rows.size()),
                     .cols = features,
                     .padded = features});
  return w;
}

// Lines of one class of every axis but the last, and the terms for each class of the last.
struct Lines {
  std::vector<const ConvClass*> classes;
  int64_t count = 1;
  std::vector<std::vector<ConvTerm>> terms;
};

class Channels {
 public:
  Channels(const ConvJob& job, std::vector<std::vector<ConvClass>> classes)
      : job_(job), s_(job.shape), l_(job.layout), weights_(weights_of(job)), classes_(std::move(classes)) {
    std::vector<const ConvClass*> outer;
    add_lines(outer);
  }
  void run() {
    int64_t count = 0;
    for (const Lines& lines : lines_) count += lines.count;
    gemm_for(count * s_.batch, job_.threads, [&](int64_t i) {
      int64_t line = i % count;
      size_t k = 0;
      while (line >= lines_[k].count) line -= lines_[k++].count;
      run_line(lines_[k], line, i / count);
    });
  }

 private:
  void add_lines(std::vector<const ConvClass*>& outer) {
    if (outer.size() + 1 < classes_.size()) {
      for (const ConvClass& c : classes_[outer.size()]) {
        outer.push_back(&c);
        add_lines(outer);
        outer.pop_back();
      }
      return;
    }
    Lines lines{outer, 1, {}};
    for (const ConvClass* c : outer) lines.count *= c->count;
    for (const ConvClass& last : classes_.back()) {
      std::vector<ConvTerm> terms{{0, 0}};
      for (size_t a = 0; a < classes_.size(); ++a) {
        std::vector<ConvTerm> more;
        for (const ConvTerm& term : terms) {
          for (const ConvTap& tap : (a < outer.size() ? *outer[a] : last).taps) {
            const int64_t t = s_.axes[a].reversed ? s_.axes[a].window - 1 - tap.t : tap.t;
            more.push_back({term.lhs + tap.at * l_.lhs[a + 2], term.w + t * weights_.strides[a + 1]});
          }
        }
        terms.swap(more);
      }
      lines.terms.push_back(std::move(terms));
    }
    lines_.push_back(std::move(lines));
  }

  void run_line(const Lines& lines, int64_t line, int64_t n) const {
    int64_t lhs = n * l_.lhs[0], out = n * l_.out[0];
    for (size_t a = lines.classes.size(); a-- > 0;) {
      const ConvClass& c = *lines.classes[a];
      const int64_t i = line % c.count;
      line /= c.count;
      lhs += i * c.lhs_step * l_.lhs[a + 2];
      out += (c.first + i * c.step) * l_.out[a + 2];
    }
    const int64_t bytes = size_bytes(job_.dtype);
    for (size_t k = 0; k < lines.terms.size(); ++k) {
      const ConvClass& last = classes_.back()[k];
      job_.kernels->channels({.lhs = static_cast<const char*>(job_.lhs) + lhs * bytes,
                              .lhs_step = last.lhs_step * l_.lhs.back(),
                              .terms = lines.terms[k].data(),
                              .term_count = int64_t(lines.terms[k].size()),
                              .w = weights_.data,
                              .w_step = weights_.strides[0],
                              .out = static_cast<char*>(job_.out) + (out + last.first * l_.out.back()) * bytes,
                              .out_step = last.step * l_.out.back(),
                              .outputs = last.count,
                              .channels = s_.feature_groups * s_.in_features,
                              .group = int(s_.in_features),
                              .dtype = job_.dtype});
    }
  }

  const ConvJob& job_;
  const ConvShape& s_;
  const ConvLayout& l_;
  const Weights weights_;
  const std::vector<std::vector<ConvClass>> classes_;
  std::vector<Lines> lines_;
};

}  // namespace

bool convolve_channels(const ConvJob& job) {
  if (!suits(job)) return false;
  std::vector<std::vector<ConvClass>> classes;
  int64_t window = 1;
  for (const ConvAxis& a : job.shape.axes) {
    classes.push_back(conv_classes(a, true));
    if (!all_inside(classes.back(), a.lhs)) return false;
    window *= a.window;
  }
  if (window > job.shape.result.elements()) return false;  // derivatives by the weights
  Channels(job, std::move(classes)).run();
  return true;
}

}  // namespace hearth
