// SPDX-License-Identifier: Apache-2.0
// Kernel "top_k": one task a row. Elements above the k-th largest seen so far are collected with their numbers; each
// time the collection is full it is cut to the k largest. Of random rows few elements pass, so the cost is that of
// encoding and comparing the keys.
#include <algorithm>
#include <functional>
#include <vector>

#include "base/threads.h"
#include "ops/along_axis/axis_view.h"
#include "ops/sort/ordered_key.h"
#include "ops/sort/sort_kernels.h"

namespace hearth {
namespace {

constexpr int64_t kBlock = 64;  // keys compared before any is looked at

// A key above the number's complement: the largest is the largest element, of equals the one that stands first.
template <class Bits>
struct Candidate {
  using Word = uint64_t;
  static Word make(Bits key, int64_t number) { return Word(key) << 32 | uint32_t(~uint32_t(number)); }
  static Bits key(Word word) { return Bits(word >> 32); }
  static int64_t number(Word word) { return uint32_t(~uint32_t(word)); }
};
template <>
struct Candidate<uint64_t> {
  __extension__ using Word = unsigned __int128;
  static Word make(uint64_t key, int64_t number) { return Word(key) << 64 | uint64_t(~uint64_t(number)); }
  static uint64_t key(Word word) { return uint64_t(word >> 64); }
  static int64_t number(Word word) { return int64_t(~uint64_t(word)); }
};

template <class Key>
void top_k_row(const typename Key::Bits* x, int64_t n, int64_t k, typename Key::Bits* values, int32_t* numbers) {
  using Bits = typename Key::Bits;
  using C = Candidate<Bits>;
  thread_local std::vector<typename C::Word> kept;
  kept.clear();
  const size_t room = size_t(std::min(n, 2 * k + 4 * kBlock));
  Bits threshold = 0;  // of the k-th largest so far; a later equal one loses
  bool full = false;
  const auto cut = [&] {
    std::nth_element(kept.begin(), kept.begin() + (k - 1), kept.end(), std::greater<>());
    kept.resize(size_t(k));
    threshold = C::key(kept[size_t(k - 1)]);
    full = true;
  };
  Bits keys[kBlock];
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t count = std::min(kBlock, n - begin);
    Bits most = 0;
    for (int64_t i = 0; i < count; ++i) {
      keys[i] = Key::encode(x[begin + i]);
      most = std::max(most, keys[i]);
    }
    if (full && most <= threshold) continue;
    for (int64_t i = 0; i < count; ++i) {
      if (!full || keys[i] > threshold) kept.push_back(C::make(keys[i], begin + i));
    }
    if (kept.size() + size_t(kBlock) > room && int64_t(kept.size()) > k) cut();
  }
  std::partial_sort(kept.begin(), kept.begin() + k, kept.end(), std::greater<>());
  for (int64_t i = 0; i < k; ++i) {
    numbers[i] = int32_t(C::number(kept[size_t(i)]));
    values[i] = x[numbers[i]];
  }
}

}  // namespace

void top_k_rows(const KernelArgs& args) {
  const TensorArg& x = args.in[0];
  const int64_t n = x.dim(-1), k = args.attrs.integer("k");
  if (k == 0 || x.type->elements() == 0) return;
  with_key(x.dtype(), [&](auto key) {
    using Key = decltype(key);
    using Bits = typename Key::Bits;
    parallel_for(x.type->elements() / n, [&](int64_t row, int) {
      top_k_row<Key>(x.as<const Bits>() + row * n, n, k, args.out[0].as<Bits>() + row * k,
                     args.out[1].as<int32_t>() + row * k);
    });
  });
}

void check_top_k(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  HEARTH_CHECK(in.size() == 1 && out.size() == 2 && in[0].rank() > 0 && !is_complex(in[0].dtype), format,
               "needs 1 real input with an axis, 2 outputs");
  const int64_t k = attrs.integer("k"), n = in[0].dims.back();
  HEARTH_CHECK(k >= 0 && k <= n && n <= INT32_MAX, format, "k is ", k, " of ", n);
  const TensorType values = with_size(in[0], in[0].rank() - 1, k);
  HEARTH_CHECK(out[0] == values && out[1] == (TensorType{DType::i32, values.dims}), format, "outputs ", out[0], " and ",
               out[1], " do not fit ", in[0]);
}

}  // namespace hearth
