// SPDX-License-Identifier: Apache-2.0
#pragma once
// NumPy indexing written out in plain loops, and random index expressions, for the tests of array/indexing*.cc.

#include <algorithm>
#include <random>
#include <string>

#include "array/indexing.h"
#include "base/error.h"

namespace hearth {

struct IndexPart {
  enum Kind { integer, slice, ellipsis, fresh, integers, mask } kind;
  Slice range = {};
  Dims dims = {};                    // of integers and masks; an integer has none
  std::vector<int64_t> values = {};  // the integers, or 0 and 1
};
using IndexParts = std::vector<IndexPart>;

inline Array integers_of(const IndexPart& part) { return array(part.values, part.dims).astype(DType::i32); }
inline Index index_of(const IndexPart& part) {
  switch (part.kind) {
    case IndexPart::integer: return part.values[0];
    case IndexPart::slice: return part.range;
    case IndexPart::ellipsis: return kEllipsis;
    case IndexPart::fresh: return kNewAxis;
    case IndexPart::integers: return integers_of(part);
    case IndexPart::mask: break;
  }
  return array(std::vector<bool>(part.values.begin(), part.values.end()), part.dims);
}

// As Python has it.
inline std::string text_of(const IndexPart& part) {
  const auto number = [](const std::optional<int64_t>& n) { return n ? std::to_string(*n) : std::string(); };
  if (part.kind == IndexPart::integer) return std::to_string(part.values[0]);
  if (part.kind == IndexPart::slice)
    return number(part.range.start) + ":" + number(part.range.stop) + ":" + number(part.range.step);
  if (part.kind == IndexPart::ellipsis) return "...";
  if (part.kind == IndexPart::fresh) return "None";
  std::string text = "np.array([";
  for (const int64_t v : part.values) text += std::to_string(v) + ",";
  text += part.kind == IndexPart::mask ? "],bool).reshape([" : "],int).reshape([";
  for (const int64_t n : part.dims) text += std::to_string(n) + ",";
  return text + "])";
}
inline std::string text_of(const IndexParts& parts) {
  std::string text;
  for (const IndexPart& part : parts) text += text_of(part) + ", ";
  return "x[" + text + "]";
}

// The result's sizes, and for each of its elements, row-major, the element of x (row-major) that it is.
struct IndexedPlaces {
  Dims dims;
  std::vector<int64_t> places;
};

namespace detail {

struct IndexItem {
  char kind;                     // k: kept axis, n: new axis, a: array, e: ellipsis
  int64_t axis = -1;             // of x
  std::vector<int64_t> at = {};  // positions, before negative ones are counted from the end
  Dims dims = {};                // of an array
};

inline std::vector<int64_t> positions(const Slice& s, int64_t n) {
  const int64_t step = s.step.value_or(1);
  const auto bound = [&](int64_t i) {
    if (i < 0) i += n;
    return step > 0 ? std::clamp<int64_t>(i, 0, n) : std::clamp<int64_t>(i, -1, n - 1);
  };
  const int64_t start = s.start ? bound(*s.start) : step > 0 ? 0 : n - 1;
  const int64_t stop = s.stop ? bound(*s.stop) : step > 0 ? n : -1;
  std::vector<int64_t> at;
  for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) at.push_back(i);
  return at;
}

inline std::vector<IndexItem> items_of_mask(const IndexPart& part, int64_t axis) {
  std::vector<IndexItem> items;
  for (size_t k = 0; k < std::max<size_t>(1, part.dims.size()); ++k) {
    IndexItem item{'a', part.dims.empty() ? -1 : axis + int64_t(k)};
    for (int64_t i = 0; i < int64_t(part.values.size()); ++i) {
      if (!part.values[size_t(i)]) continue;
      const Dims strides = row_major_strides(part.dims);
      item.at.push_back(part.dims.empty() ? 0 : i / strides[k] % part.dims[k]);
    }
    item.dims = {int64_t(item.at.size())};
    items.push_back(item);
  }
  return items;
}

inline std::vector<IndexItem> items_of(const Dims& shape, const IndexParts& parts) {
  int64_t used = 0, axis = 0;
  bool ellipsis = false;
  for (const IndexPart& part : parts) {
    used += part.kind == IndexPart::mask ? int64_t(part.dims.size())
                                         : part.kind != IndexPart::ellipsis && part.kind != IndexPart::fresh;
    ellipsis = ellipsis || part.kind == IndexPart::ellipsis;
  }
  std::vector<IndexItem> items;
  const auto keep = [&](const Slice& s) { items.push_back({'k', axis, positions(s, shape[size_t(axis)])}), ++axis; };
  const auto fill = [&] {
    for (int64_t i = used; i < int64_t(shape.size()); ++i) keep({});
  };
  for (const IndexPart& part : parts) {
    if (part.kind == IndexPart::slice) keep(part.range);
    if (part.kind == IndexPart::fresh) items.push_back({'n'});
    if (part.kind == IndexPart::integer || part.kind == IndexPart::integers)
      items.push_back({'a', axis++, part.values, part.dims});
    if (part.kind == IndexPart::ellipsis) fill(), items.push_back({'e'});
    if (part.kind != IndexPart::mask) continue;
    for (IndexItem& item : items_of_mask(part, axis)) items.push_back(item);
    axis += int64_t(part.dims.size());
  }
  if (!ellipsis) fill();
  return items;
}

inline int64_t broadcast_place(const Dims& dims, const Dims& at) {
  int64_t place = 0;
  for (size_t i = 0; i < dims.size(); ++i) {
    const int64_t k = at[at.size() - dims.size() + i];
    place = place * dims[i] + (dims[i] == 1 ? 0 : k);
  }
  return place;
}

}  // namespace detail

inline IndexedPlaces indexed_places(const Dims& shape, const IndexParts& parts) {
  const std::vector<detail::IndexItem> items = detail::items_of(shape, parts);
  Dims together;  // what the arrays broadcast to
  size_t first = items.size(), last = 0, arrays = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].kind != 'a') continue;
    first = std::min(first, i), last = i, ++arrays;
    const Dims& dims = items[i].dims;
    if (dims.size() > together.size()) together.insert(together.begin(), dims.size() - together.size(), 1);
    for (size_t k = 0; k < dims.size(); ++k)
      if (dims[k] != 1) together[together.size() - dims.size() + k] = dims[k];
  }
  const bool in_place = arrays > 0 && last - first + 1 == arrays;
  IndexedPlaces result;
  std::vector<size_t> axis_of(items.size());  // of the result
  size_t arrays_at = 0;
  if (!in_place) result.dims = together;
  for (size_t i = 0; i < items.size(); ++i) {
    if (in_place && i == first) {
      arrays_at = result.dims.size();
      result.dims.insert(result.dims.end(), together.begin(), together.end());
    }
    axis_of[i] = result.dims.size();
    if (items[i].kind == 'k') result.dims.push_back(int64_t(items[i].at.size()));
    if (items[i].kind == 'n') result.dims.push_back(1);
  }
  const Dims strides = row_major_strides(shape), own = row_major_strides(result.dims);
  for (int64_t e = 0; e < num_elements(result.dims); ++e) {
    Dims at;
    for (size_t k = 0; k < result.dims.size(); ++k) at.push_back(e / own[k] % result.dims[k]);
    const Dims arrays_index(at.begin() + long(arrays_at), at.begin() + long(arrays_at + together.size()));
    int64_t place = 0;
    for (size_t i = 0; i < items.size(); ++i) {
      const detail::IndexItem& item = items[i];
      if (item.axis < 0) continue;
      const int64_t n = shape[size_t(item.axis)];
      int64_t k = item.kind == 'a' ? item.at[size_t(detail::broadcast_place(item.dims, arrays_index))]
                                   : item.at[size_t(at[axis_of[i]])];
      if (k < 0) k += n;
      place += k * strides[size_t(item.axis)];
    }
    result.places.push_back(place);
  }
  return result;
}

// Random valid index expressions on arrays of up to four axes.
class RandomIndex {
 public:
  explicit RandomIndex(uint32_t seed) : engine_(seed) {}
  int64_t up_to(int64_t last) { return std::uniform_int_distribution<int64_t>(0, last)(engine_); }

  Dims shape() {
    Dims dims(size_t(std::max<int64_t>(up_to(4), up_to(2))));
    for (int64_t& n : dims) n = up_to(9) == 0 ? 0 : 1 + up_to(3);
    return dims;
  }
  IndexParts parts(const Dims& shape) {
    IndexParts parts;
    masks_ = up_to(2) == 0;
    together_ = Dims(masks_ ? 1 : size_t(up_to(2)));
    for (int64_t& n : together_) n = up_to(7) == 0 ? 0 : 1 + up_to(2);
    bool ellipsis = false;
    const bool plain = up_to(4) == 0;  // no arrays
    for (size_t axis = 0; axis <= shape.size();) {
      const int64_t what = up_to(15);
      if (what == 0) parts.push_back({.kind = IndexPart::fresh});
      if (what == 1 && !ellipsis) {
        ellipsis = true;
        parts.push_back({.kind = IndexPart::ellipsis});
        axis += size_t(up_to(int64_t(shape.size() - axis)));
      }
      if (what == 2 && up_to(2) == 0 && !plain) parts.push_back(mask({}));
      if (what <= 2) continue;
      if (axis == shape.size() || (what == 3 && !ellipsis && up_to(1))) break;
      axis += plain || what < 8 ? basic(parts, shape[axis]) : with_arrays(parts, shape, axis);
    }
    if (ellipsis) rest_fits(parts, shape);
    return parts;
  }

 private:
  size_t basic(IndexParts& parts, int64_t n) {
    if (up_to(1) == 0 && n > 0) {
      parts.push_back({.kind = IndexPart::integer, .values = {up_to(2 * n - 1) - n}});
      return 1;
    }
    Slice s;
    if (up_to(1)) s.start = up_to(2 * n + 2) - n - 1;
    if (up_to(1)) s.stop = up_to(2 * n + 2) - n - 1;
    if (up_to(1)) s.step = std::vector<int64_t>{-3, -2, -1, 1, 2, 7}[size_t(up_to(5))];
    if (up_to(2) == 0) s = {};
    parts.push_back({.kind = IndexPart::slice, .range = s});
    return 1;
  }
  size_t with_arrays(IndexParts& parts, const Dims& shape, size_t axis) {
    if (masks_ && up_to(1)) {
      const size_t axes = 1 + size_t(up_to(std::min<int64_t>(1, int64_t(shape.size() - axis) - 1)));
      const Dims dims(shape.begin() + long(axis), shape.begin() + long(axis + axes));
      if (num_elements(dims) >= together_[0]) return parts.push_back(mask(dims)), axes;
    }
    IndexPart part{.kind = IndexPart::integers};
    part.dims.assign(together_.begin() + up_to(int64_t(together_.size())), together_.end());
    for (int64_t& n : part.dims)
      if (up_to(2) == 0) n = 1;
    const int64_t n = shape[axis], count = num_elements(part.dims);
    if (n == 0 && count > 0) return basic(parts, n);
    for (int64_t i = 0; i < count; ++i) part.values.push_back(up_to(2 * n - 1) - n);
    parts.push_back(part);
    return 1;
  }
  // With as many places as the arrays have.
  IndexPart mask(const Dims& dims) {
    IndexPart part{.kind = IndexPart::mask, .dims = dims, .values = std::vector<int64_t>(size_t(num_elements(dims)))};
    if (dims.empty()) {
      part.values[0] = together_.empty() || together_.back() != 0;
      return part;
    }
    std::fill_n(part.values.begin(), together_[0], 1);
    std::shuffle(part.values.begin(), part.values.end(), engine_);
    return part;
  }
  // Behind an ellipsis the axes are others than those that parts were made for: only what fits any size stays.
  void rest_fits(IndexParts& parts, const Dims& shape) {
    int64_t used = 0;
    for (const IndexPart& part : parts)
      used += part.kind == IndexPart::mask ? int64_t(part.dims.size())
                                           : part.kind != IndexPart::ellipsis && part.kind != IndexPart::fresh;
    int64_t axis = 0;
    for (IndexPart& part : parts) {
      if (part.kind == IndexPart::ellipsis) axis += int64_t(shape.size()) - used;
      if (part.kind == IndexPart::ellipsis || part.kind == IndexPart::fresh) continue;
      const int64_t axes = part.kind == IndexPart::mask ? int64_t(part.dims.size()) : 1;
      if (part.kind == IndexPart::mask && part.dims != Dims(shape.begin() + axis, shape.begin() + axis + axes))
        return void(parts = {{.kind = IndexPart::ellipsis}});
      for (const int64_t v : part.values)
        if (part.kind != IndexPart::mask && (v < -shape[size_t(axis)] || v >= shape[size_t(axis)]))
          return void(parts = {{.kind = IndexPart::ellipsis}});
      axis += axes;
    }
  }

  std::mt19937 engine_;
  bool masks_ = false;
  Dims together_;  // sizes of arrays before some of them become 1
};

}  // namespace hearth
