// SPDX-License-Identifier: Apache-2.0
#include "array/indexing_plan.h"

#include <algorithm>

#include "array/recording.h"
#include "base/error.h"

namespace hearth {
namespace {

// A plain number in the clothes of an array is that number.
Index plain(const std::string& op, const Index& index, size_t place) {
  const Array* array = std::get_if<Array>(&index.what);
  if (!array) return index;
  const bool number = array->valid() && array->state()->number;
  if (number && array->dtype() == DType::boolean) return std::get<bool>(*array->state()->number);
  if (number && is_int(array->dtype())) return std::get<int64_t>(*array->state()->number);
  HEARTH_CHECK(array->dtype() == DType::boolean || is_int(array->dtype()), dtype, op,
               ": arrays as indices must be of integers or bool; index ", place, " is ", array->type());
  return index;
}

bool is_mask(const Index& index) {
  const Array* array = std::get_if<Array>(&index.what);
  return array && array->dtype() == DType::boolean;
}

int64_t axes_used(const Index& index) {
  if (std::holds_alternative<int64_t>(index.what) || std::holds_alternative<Slice>(index.what)) return 1;
  if (is_mask(index)) return std::get<Array>(index.what).ndim();
  return std::holds_alternative<Array>(index.what) ? 1 : 0;
}

// Python's slice.indices, and the number of elements.
IndexPlan::Axis slice_axis(const std::string& op, const Slice& slice, int64_t n, int64_t axis) {
  HEARTH_CHECK(slice.step != 0, value, op, ": the slice of axis ", axis, " has step 0");
  const int64_t far = std::max<int64_t>(n, 1);  // such steps leave the first element only
  const int64_t step = std::clamp(slice.step.value_or(1), -far, far);
  const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
  const auto bound = [&](const std::optional<int64_t>& given, int64_t otherwise) {
    if (!given) return otherwise;
    return std::clamp(*given < 0 ? *given + n : *given, low, high);
  };
  const int64_t start = bound(slice.start, step > 0 ? low : high), stop = bound(slice.stop, step > 0 ? high : low);
  const int64_t way = step > 0 ? stop - start : start - stop, pace = step > 0 ? step : -step;
  const int64_t size = way <= 0 ? 0 : (way - 1) / pace + 1;
  if (size <= 1 && step != 1) return {.start = size ? start : 0, .size = size, .of = n};
  return {.start = size ? start : 0, .step = step, .size = size, .of = n};
}

// Places where the mask is true, one array an axis; of a scalar mask one array of that many zeros.
Arrays places(const Array& mask) {
  const bool* bits = mask.data_as<bool>();
  const Dims& dims = mask.shape();
  std::vector<std::vector<int64_t>> found(std::max<size_t>(1, dims.size()));
  for (int64_t i = 0; i < mask.size(); ++i) {
    if (!bits[i]) continue;
    int64_t rest = i;
    for (size_t k = dims.size(); k-- > 0; rest /= dims[k]) found[k].push_back(rest % dims[k]);
    if (dims.empty()) found[0].push_back(0);
  }
  Arrays result;
  for (const std::vector<int64_t>& one : found) {
    const bool small = dims.empty() || *std::max_element(dims.begin(), dims.end()) <= INT32_MAX;
    result.push_back(small ? array(std::vector<int32_t>(one.begin(), one.end())) : array(one));
  }
  return result;
}

class Parser {
 public:
  Parser(const std::string& op, const Array& x, const IndexList& index) : op_(op), x_(x) {
    for (size_t i = 0; i < index.size(); ++i) index_.push_back(plain(op, index[i], i));
  }

  IndexPlan parse() {
    count();
    bool filled = false;
    for (const Index& index : index_) {
      if (std::holds_alternative<Ellipsis>(index.what)) {
        HEARTH_CHECK(!filled, value, op_, ": more than one ellipsis");
        filled = true;
        add_whole_axes(left_);
        items_.push_back(Item::nothing);  // separates arrays even where it stands for no axis
      } else {
        std::visit([&](const auto& what) { add(what); }, index.what);
      }
    }
    if (!filled) add_whole_axes(left_);
    broadcast_arrays();
    lay_out();
    return std::move(plan_);
  }

 private:
  enum class Item { kept, fresh, advanced, nothing };  // what an index leaves in the result
  using Role = IndexPlan::Role;

  void count() {
    int64_t used = 0;
    for (const Index& index : index_) used += axes_used(index);
    left_ = x_.ndim() - used;
    HEARTH_CHECK(left_ >= 0, value, op_, ": too many indices: ", used, " for ", x_.ndim(), " axes\n  x is ", x_.type());
  }
  int64_t axis() const { return int64_t(plan_.axes.size()); }

  void add_whole_axes(int64_t count) {
    for (int64_t i = 0; i < count; ++i) add(Slice{});
  }
  void add(const Slice& slice) {
    plan_.axes.push_back(slice_axis(op_, slice, x_.dim(axis()), axis()));
    items_.push_back(Item::kept);
  }
  void add(int64_t i) {
    const int64_t n = x_.dim(axis());
    HEARTH_CHECK(i >= -n && i < n, value, op_, ": ", i, " is out of range for axis ", axis(), " of size ", n,
                 "\n  x is ", x_.type());
    plan_.axes.push_back({.role = Role::integer, .start = i < 0 ? i + n : i, .size = 1, .of = n});
    items_.push_back(Item::advanced);
  }
  void add(bool whether) { add_mask(array(std::vector<bool>{whether}, {})); }
  void add(Ellipsis) {}
  void add(NewAxis) { items_.push_back(Item::fresh); }
  void add(const Array& array) {
    if (array.dtype() == DType::boolean) return add_mask(array);
    add_array(array, false);
    items_.push_back(Item::advanced);
  }
  void add_array(const Array& array, bool inside) {
    const int64_t n = x_.dim(axis());
    HEARTH_CHECK(n > 0 || array.size() == 0, value, op_, ": axis ", axis(), " is empty, no index lies inside\n  x is ",
                 x_.type());
    plan_.axes.push_back({.role = Role::array, .size = 1, .array = plan_.arrays.size(), .of = n});
    plan_.arrays.push_back(array);
    plan_.inside.push_back(inside);
  }
  void add_mask(const Array& mask) {
    check_mask(op_, x_, mask, axis());
    const Arrays found = places(mask);
    items_.push_back(Item::advanced);
    fancy_dims_.push_back(found[0].shape());
    for (int64_t k = 0; k < mask.ndim(); ++k) add_array(found[size_t(k)], true);
  }

  void broadcast_arrays() {
    for (const Array& array : plan_.arrays) fancy_dims_.push_back(array.shape());
    Dims& all = plan_.array_dims;
    for (const Dims& dims : fancy_dims_) {
      if (dims.size() > all.size()) all.insert(all.begin(), dims.size() - all.size(), 1);
      for (size_t i = 0; i < dims.size(); ++i) {
        int64_t& size = all[all.size() - dims.size() + i];
        HEARTH_CHECK(size == dims[i] || size == 1 || dims[i] == 1, shape, op_,
                     ": index arrays do not broadcast: ", list_of_shapes());
        if (size == 1) size = dims[i];
      }
    }
  }
  std::string list_of_shapes() const {
    std::string text;
    for (const Dims& dims : fancy_dims_) text += cat(text.empty() ? "" : " ", ShowDims{dims});
    return text;
  }

  // The axes of the arrays stand in the place of the first of them, or in front when something lies between them.
  void lay_out() {
    const auto advanced = [](Item item) { return item == Item::advanced; };
    const auto first = std::find_if(items_.begin(), items_.end(), advanced);
    const auto after = std::find_if_not(first, items_.end(), advanced);
    const bool together = std::none_of(after, items_.end(), advanced);
    size_t next = 0;
    const auto put_arrays = [&] {
      for (const int64_t size : plan_.array_dims) {
        plan_.array_axes.push_back(int64_t(plan_.data.size()));
        plan_.data.push_back(size);
        plan_.result.push_back(size);
      }
    };
    if (!together) put_arrays();
    for (auto item = items_.begin(); item != items_.end(); ++item) {
      if (together && item == first) put_arrays();
      if (*item == Item::fresh) plan_.result.push_back(1);
      if (*item != Item::kept) continue;
      while (plan_.axes[next].role != Role::slice) ++next;
      plan_.data.push_back(plan_.axes[next].size);
      plan_.result.push_back(plan_.axes[next++].size);
    }
  }

  const std::string& op_;
  const Array& x_;
  IndexList index_;
  int64_t left_ = 0;
  IndexPlan plan_;
  std::vector<Item> items_;
  std::vector<Dims> fancy_dims_;  // shapes that broadcast together
};

}  // namespace

bool IndexPlan::is_whole() const {
  return arrays.empty() && array_dims.empty() &&
         std::all_of(axes.begin(), axes.end(), [](const Axis& axis) { return axis.is_whole(); });
}

IndexPlan index_plan(const std::string& op, const Array& x, const IndexList& index) {
  return Parser(op, x, index).parse();
}

void check_mask(const std::string& op, const Array& x, const Array& mask, int64_t axis) {
  for (int64_t k = 0; k < mask.ndim(); ++k)
    HEARTH_CHECK(mask.dim(k) == x.dim(axis + k), shape, op, ": the mask does not fit axis ", axis + k, ": ",
                 mask.dim(k), " != ", x.dim(axis + k), "\n  x is ", x.type(), "\n  mask is ", mask.type());
}

std::optional<size_t> single_mask(const IndexList& index) {
  std::optional<size_t> found;
  for (size_t i = 0; i < index.size(); ++i) {
    const Index& one = index[i];
    if (is_mask(one) && std::get<Array>(one.what).ndim() > 0 && !found)
      found = i;
    else if (!std::holds_alternative<Slice>(one.what) && !std::holds_alternative<Ellipsis>(one.what))
      return {};
  }
  return found;
}

}  // namespace hearth
