// SPDX-License-Identifier: Apache-2.0
// Array::to_string: as NumPy prints an array. Source: numpy/_core/arrayprint.py (2.4), default options.
// Differs: bf16, which NumPy has not, is written like f16.

#include <algorithm>
#include <cmath>
#include <functional>
#include <ostream>

#include "array/array.h"
#include "array/dtypes.h"
#include "array/number_text.h"

namespace hearth {
namespace {

constexpr int64_t kThreshold = 1000, kEdgeItems = 3, kLineWidth = 75;

using Write = std::function<std::string(int64_t element)>;

std::string padded(const std::string& text, size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

// The elements that are printed, as indices in row-major order.
std::vector<int64_t> shown_elements(const Dims& shape, bool summary) {
  std::vector<int64_t> shown{0};
  for (const int64_t size : shape) {
    std::vector<int64_t> next;
    for (const int64_t start : shown) {
      for (int64_t i = 0; i < size; ++i) {
        if (summary && size > 2 * kEdgeItems && i == kEdgeItems) i = size - kEdgeItems;
        next.push_back(start * size + i);
      }
    }
    shown = std::move(next);
  }
  return shown;
}

// One format for all numbers of an array, so that their points stand below each other.
class FloatColumn {
 public:
  FloatColumn(const std::vector<double>& numbers, DType dtype, bool plus) : dtype_(dtype), plus_(plus) {
    bool special = false, minus_infinity = false;
    double largest = 0, smallest = INFINITY;
    for (const double x : numbers) {
      special |= !std::isfinite(x);
      minus_infinity |= std::isinf(x) && x < 0;
      if (!std::isfinite(x) || x == 0) continue;
      largest = std::max(largest, std::fabs(x));
      smallest = std::min(smallest, std::fabs(x));
    }
    // Where a type has fewer digits than 8, larger numbers would show digits that mean nothing.
    const double cutoff = std::pow(10.0, std::min(8, std::max(3, finfo(dtype).precision)));
    scientific_ =
        largest > 0 && (largest >= cutoff || smallest < rounded(0.0001) || rounded(largest / smallest) > 1000);
    for (const double x : numbers) {
      if (!std::isfinite(x)) continue;
      const NumberText t = text(x);
      left_ = std::max(left_, t.whole.size());
      right_ = std::max(right_, t.fraction.size());
      exponent_ = std::max(exponent_, t.exponent.size());
    }
    if (special) {
      const size_t offset = width_right() + 1, wanted = plus || minus_infinity ? 4 : 3;
      left_ = std::max(left_, wanted > offset ? wanted - offset : 0);
    }
  }

  std::string operator()(double x) const {
    if (!std::isfinite(x)) return padded(scalar_text(x, dtype_, {.plus = plus_}), left_ + width_right() + 1);
    const NumberText t = text(x, int(right_));
    std::string out = padded(t.whole, left_) + "." + t.fraction;
    if (!scientific_) return out + std::string(right_ - t.fraction.size(), ' ');
    const std::string zeros(exponent_ - t.exponent.size(), '0');
    return out + "e" + t.exponent[0] + zeros + t.exponent.substr(1);
  }

 private:
  // NumPy compares and divides in the array's type, in which numbers are rounded and a quotient may be infinite.
  double rounded(double x) const {
    if (dtype_ == DType::f16) return float(f16(float(x)));
    if (dtype_ == DType::bf16) return float(bf16(float(x)));
    return dtype_ == DType::f32 ? double(float(x)) : x;
  }
  NumberText text(double x, int at_least = 0) const {
    const NumberFormat format{.precision = 8, .at_least = at_least, .plus = plus_};
    return scientific_ ? scientific_text(x, dtype_, format) : positional_text(x, dtype_, format);
  }
  size_t width_right() const { return right_ + (scientific_ ? exponent_ + 1 : 0); }

  DType dtype_;
  bool plus_, scientific_ = false;
  size_t left_ = 0, right_ = 0, exponent_ = 0;
};

double real_at(const Array& x, int64_t i) { return convert_number<double>(element(x, i)); }
double imag_at(const Array& x, int64_t i) { return convert_number<std::complex<double>>(element(x, i)).imag(); }

std::string integer_at(const Array& x, int64_t i) {
  const int64_t n = convert_number<int64_t>(element(x, i));
  return x.dtype() == DType::u64 ? std::to_string(uint64_t(n)) : std::to_string(n);
}

std::vector<double> numbers_at(const Array& x, const std::vector<int64_t>& places,
                               double (*at)(const Array&, int64_t)) {
  std::vector<double> out;
  for (const int64_t i : places) out.push_back(at(x, i));
  return out;
}

// The j stands before the spaces that fill the column.
std::string with_j(const std::string& text) {
  const size_t end = text.find_last_not_of(' ') + 1;
  return text.substr(0, end) + "j" + text.substr(end);
}

Write writer(const Array& x, const std::vector<int64_t>& shown) {
  if (x.dtype() == DType::boolean)
    return [x](int64_t i) -> std::string { return real_at(x, i) != 0 ? " True" : "False"; };
  if (is_int(x.dtype())) {
    size_t width = 0;
    for (const int64_t i : shown) width = std::max(width, integer_at(x, i).size());
    return [x, width](int64_t i) { return padded(integer_at(x, i), width); };
  }
  const DType part = real_part(x.dtype());
  const FloatColumn re(numbers_at(x, shown, real_at), part, false);
  if (!is_complex(x.dtype())) return [x, re](int64_t i) { return re(real_at(x, i)); };
  const FloatColumn im(numbers_at(x, shown, imag_at), part, true);
  return [x, re, im](int64_t i) { return re(real_at(x, i)) + with_j(im(imag_at(x, i))); };
}

std::string scalar(const Array& x) {
  if (x.dtype() == DType::boolean) return real_at(x, 0) != 0 ? "True" : "False";
  if (is_int(x.dtype())) return integer_at(x, 0);
  const DType part = real_part(x.dtype());
  if (!is_complex(x.dtype())) return scalar_text(real_at(x, 0), part);
  const double re = real_at(x, 0), im = imag_at(x, 0);
  if (re == 0 && !std::signbit(re)) return scalar_text(im, part, {.zero = false}) + "j";
  return "(" + scalar_text(re, part, {.zero = false}) + scalar_text(im, part, {.zero = false, .plus = true}) + "j)";
}

// Words of one row, with a new line where the next word would not fit.
class Row {
 public:
  Row(size_t width, size_t indent) : width_(width), indent_(indent, ' '), line_(indent_) {}
  void add(const std::string& word) {
    if (line_.size() + word.size() > width_ && line_.size() > indent_.size()) {
      done_ += line_.substr(0, line_.find_last_not_of(' ') + 1) + "\n";
      line_ = indent_;
    }
    line_ += word;
  }
  void separate() { line_ += ' '; }
  std::string text() const { return (done_ + line_).substr(indent_.size()); }

 private:
  size_t width_;
  std::string indent_, line_, done_;
};

class Printer {
 public:
  Printer(const Dims& shape, bool summary, Write write) : shape_(shape), summary_(summary), write_(std::move(write)) {}

  // The block of elements from `start` on that axes from `axis` on span. Each bracket around takes a column.
  std::string block(size_t axis, int64_t start) const {
    const int64_t size = shape_[axis], indent = int64_t(axis) + 1;
    const bool last_axis = axis + 1 == shape_.size(), cut = summary_ && size > 2 * kEdgeItems;
    const std::string newline(shape_.size() - axis - 1, '\n'), spaces(size_t(indent), ' ');
    Row row(size_t(std::max<int64_t>(kLineWidth - int64_t(axis) - 1, 0)), size_t(indent));
    std::string out = "[";
    for (int64_t i = 0; i < size; ++i) {
      const bool left_out = cut && i == kEdgeItems;
      const int64_t here = start * size + i;
      if (last_axis) {
        row.add(left_out ? "..." : write_(here));
        if (i + 1 < size) row.separate();
      } else {
        out += (i > 0 ? spaces : "") + (left_out ? "..." : block(axis + 1, here)) + (i + 1 < size ? newline : "");
      }
      if (left_out) i = size - kEdgeItems - 1;
    }
    return out + (last_axis ? row.text() : "") + "]";
  }

 private:
  const Dims& shape_;
  bool summary_;
  Write write_;
};

}  // namespace

std::string Array::to_string() const {
  eval();
  if (ndim() == 0) return scalar(*this);
  if (size() == 0) return "[]";
  const bool summary = size() > kThreshold;
  return Printer(shape(), summary, writer(*this, shown_elements(shape(), summary))).block(0, 0);
}

std::ostream& operator<<(std::ostream& out, const Array& x) { return out << x.to_string(); }

}  // namespace hearth
