// SPDX-License-Identifier: Apache-2.0
// Times convolution, forward and both derivatives, beside oneDNN on the same threads, turn by turn, best of the turns.
//   conv_bench [--filter TEXT] [--turns N]
// oneDNN gets operands in the layouts it likes best, copied beforehand: its best case, which no caller with plain
// arrays has. "plain": oneDNN with operands in our layout on both sides, copying weights and data as it needs.
#include <cstdio>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "bench/onednn_peer.h"
#include "device/kernel.h"
#include "ops/convolution/conv_shape.h"

namespace {

using namespace hearth;
using namespace hearth::bench;

struct Case {
  const char* name;
  int64_t channels, features, height, width, window_h, window_w, stride, padding, groups;
};
constexpr Case kCases[] = {
    {"resnet 3x3", 64, 64, 56, 56, 3, 3, 1, 1, 1},    {"resnet 3x3 /2", 128, 128, 28, 28, 3, 3, 2, 1, 1},
    {"resnet 3x3", 256, 256, 14, 14, 3, 3, 1, 1, 1},  {"resnet 3x3", 512, 512, 7, 7, 3, 3, 1, 1, 1},
    {"resnet 1x1", 256, 512, 28, 28, 1, 1, 1, 0, 1},  {"resnet 1x1 /2", 256, 512, 56, 56, 1, 1, 2, 0, 1},
    {"first 7x7 /2", 3, 64, 224, 224, 7, 7, 2, 3, 1}, {"depthwise 3x3", 128, 128, 56, 56, 3, 3, 1, 1, 128},
    {"grouped 3x3", 128, 128, 28, 28, 3, 3, 1, 1, 4}, {"audio 1x25 /4", 64, 64, 1, 4000, 1, 25, 4, 0, 1},
    {"audio 1x3", 256, 256, 1, 1500, 1, 3, 1, 0, 1},
};

enum class Pass { forward, by_lhs, by_rhs };
constexpr const char* kPassNames[] = {"forward", "by lhs", "by rhs"};

// A problem: sizes, memory of x, w, y, all in their plain layout.
struct Problem {
  Case c;
  int64_t batch, out_h, out_w;
  DType dtype;
  bool last;  // channels last
  std::vector<char> x, w, y;
  Attrs attrs;

  Problem(const Case& shape, int64_t n, DType t, bool channels_last)
      : c(shape), batch(n), dtype(t), last(channels_last) {
    const int64_t ph = c.window_h == 1 ? 0 : c.padding;
    out_h = (c.height + 2 * ph - c.window_h) / (c.window_h == 1 && c.height == 1 ? 1 : c.stride) + 1;
    out_w = (c.width + 2 * c.padding - c.window_w) / c.stride + 1;
    make(&x, batch * c.channels * c.height * c.width);
    make(&w, c.features * c.channels / c.groups * c.window_h * c.window_w);
    make(&y, batch * c.features * out_h * out_w);
  }
  void make(std::vector<char>* data, int64_t count) const {
    data->resize(size_t(count * size_bytes(dtype)));
    fill(data->data(), dtype, count);
  }
  int64_t stride_h() const { return c.height == 1 ? 1 : c.stride; }
  int64_t padding_h() const { return c.height == 1 ? 0 : c.padding; }
  double flops() const {
    return 2.0 * double(batch * c.features * out_h * out_w) * double(c.channels / c.groups * c.window_h * c.window_w);
  }
};

// The kernel's arguments of one pass, as the derivative rules write them.
struct Ours {
  std::vector<TensorType> types;
  std::vector<TensorArg> in, out;
  Attrs attrs;
  std::vector<char> regrouped;  // weights as the rule's reshape and transpose leave them; only sizes matter here

  Ours(Problem& p, Pass pass) {
    const Case& c = p.c;
    const int64_t per_group = c.channels / c.groups, reach_h = c.window_h - 1, reach_w = c.window_w - 1;
    const Dims data = p.last ? Dims{0, 3, 1, 2} : Dims{0, 1, 2, 3},
               weight = p.last ? Dims{3, 2, 0, 1} : Dims{0, 1, 2, 3};
    const auto dims = [](const Dims& axes, const Dims& roles) {
      Dims list(4);
      for (size_t i = 0; i < 4; ++i) list[size_t(axes[i])] = roles[i];
      return list;
    };
    const auto swapped = [](Dims axes) {
      std::swap(axes[0], axes[1]);
      return axes;
    };
    const TensorType x{p.dtype, dims(data, {p.batch, c.channels, c.height, c.width})};
    const TensorType w{p.dtype, dims(weight, {c.features, per_group, c.window_h, c.window_w})};
    const TensorType y{p.dtype, dims(data, {p.batch, c.features, p.out_h, p.out_w})};
    const Dims stride{p.stride_h(), c.stride}, low{p.padding_h(), c.padding}, ones{1, 1};
    const Dims more{c.height - ((p.out_h - 1) * stride[0] + 1), c.width - ((p.out_w - 1) * stride[1] + 1)};
    attrs = {{"strides", ones},
             {"low", low},
             {"high", low},
             {"lhs_dilation", ones},
             {"rhs_dilation", ones},
             {"reversal", Dims{0, 0}},
             {"feature_groups", int64_t{1}},
             {"batch_groups", int64_t{1}}};
    if (pass == Pass::forward) {
      types = {x, w, y};
      attrs.set("strides", stride).set("feature_groups", c.groups);
      attrs.set("lhs_axes", data).set("rhs_axes", weight).set("out_axes", data);
    } else if (pass == Pass::by_lhs) {
      const TensorType turned{p.dtype, dims(weight, {c.features / c.groups, c.channels, c.window_h, c.window_w})};
      types = {y, turned, x};
      attrs.set("lhs_dilation", stride).set("reversal", Dims{1, 1}).set("feature_groups", c.groups);
      attrs.set("low", Dims{reach_h - low[0], reach_w - low[1]}).set("high", Dims{more[0] + low[0], more[1] + low[1]});
      attrs.set("lhs_axes", data).set("rhs_axes", swapped(weight)).set("out_axes", data);
    } else {
      types = {x, y, w};
      attrs.set("rhs_dilation", stride).set("batch_groups", c.groups);
      attrs.set("high", Dims{reach_h - low[0] - more[0], reach_w - low[1] - more[1]});
      attrs.set("lhs_axes", swapped(data)).set("rhs_axes", swapped(data)).set("out_axes", swapped(weight));
    }
    char* memory[3][3] = {{p.x.data(), p.w.data(), p.y.data()},
                          {p.y.data(), p.w.data(), p.x.data()},
                          {p.x.data(), p.y.data(), p.w.data()}};
    char** at = memory[int(pass)];
    in = {{at[0], &types[0]}, {at[1], &types[1]}};
    out = {{at[2], &types[2]}};
    find_kernel("convolution")->check({types[0], types[1]}, {types[2]}, attrs);
  }
  void run() const { find_kernel("convolution")->run({in, out, attrs}); }
};

// oneDNN. plain: operands and result in the problem's layout, what it wants otherwise copied in each call.
class Peer {
 public:
  Peer(Problem& p, Pass pass, bool plain) : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_), plain_(plain) {
    using dnnl::memory;
    using tag = memory::format_tag;
    const Case& c = p.c;
    const auto type = p.dtype == DType::f32 ? memory::data_type::f32 : memory::data_type::bf16;
    const memory::dims xd{p.batch, c.channels, c.height, c.width}, yd{p.batch, c.features, p.out_h, p.out_w};
    memory::dims wd{c.features, c.channels, c.window_h, c.window_w};
    if (c.groups > 1) wd = {c.groups, c.features / c.groups, c.channels / c.groups, c.window_h, c.window_w};
    const memory::desc x{xd, type, tag::any}, w{wd, type, tag::any}, y{yd, type, tag::any};
    const tag data = p.last ? tag::nhwc : tag::nchw;
    const tag weight = c.groups > 1 ? (p.last ? tag::hwigo : tag::goihw) : p.last ? tag::hwio : tag::oihw;
    const memory::dims stride{p.stride_h(), c.stride}, pad{p.padding_h(), c.padding};
    const memory::dims high{(p.out_h - 1) * stride[0] + c.window_h - c.height - pad[0],
                            (p.out_w - 1) * stride[1] + c.window_w - c.width - pad[1]};
    const auto direct = dnnl::algorithm::convolution_direct;
    const dnnl::convolution_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, direct, x, w, y, stride, pad, high}, engine_);
    if (pass == Pass::forward) {
      primitive_ = dnnl::convolution_forward(forward);
      add(DNNL_ARG_SRC, forward.src_desc(), {xd, type, data}, p.x.data(), false);
      add(DNNL_ARG_WEIGHTS, forward.weights_desc(), {wd, type, weight}, p.w.data(), false);
      add(DNNL_ARG_DST, forward.dst_desc(), {yd, type, data}, p.y.data(), true);
    } else if (pass == Pass::by_lhs) {
      const dnnl::convolution_backward_data::primitive_desc plan({direct, x, w, y, stride, pad, high}, engine_,
                                                                 forward);
      primitive_ = dnnl::convolution_backward_data(plan);
      add(DNNL_ARG_DIFF_DST, plan.diff_dst_desc(), {yd, type, data}, p.y.data(), false);
      add(DNNL_ARG_WEIGHTS, plan.weights_desc(), {wd, type, weight}, p.w.data(), false);
      add(DNNL_ARG_DIFF_SRC, plan.diff_src_desc(), {xd, type, data}, p.x.data(), true);
    } else {
      const dnnl::convolution_backward_weights::primitive_desc plan({direct, x, w, y, stride, pad, high}, engine_,
                                                                    forward);
      primitive_ = dnnl::convolution_backward_weights(plan);
      add(DNNL_ARG_DIFF_DST, plan.diff_dst_desc(), {yd, type, data}, p.y.data(), false);
      add(DNNL_ARG_SRC, plan.src_desc(), {xd, type, data}, p.x.data(), false);
      add(DNNL_ARG_DIFF_WEIGHTS, plan.diff_weights_desc(), {wd, type, weight}, p.w.data(), true);
    }
  }
  void run() {
    for (auto& [order, from, to] : before_) order.execute(stream_, from, to);
    primitive_.execute(stream_, arguments_);
    for (auto& [order, from, to] : after_) order.execute(stream_, from, to);
    stream_.wait();
  }

 private:
  struct Copy {
    dnnl::reorder order;
    dnnl::memory from, to;
  };
  void add(int argument, const dnnl::memory::desc& wanted, const dnnl::memory::desc& given, void* data, bool result) {
    dnnl::memory own(given, engine_, data), other = wanted == given ? own : dnnl::memory(wanted, engine_);
    arguments_[argument] = other;
    if (wanted == given) return;
    if (result) {
      if (plain_) after_.push_back({dnnl::reorder(other, own), other, own});
      return;
    }
    Copy copy{dnnl::reorder(own, other), own, other};
    copy.order.execute(stream_, own, other);
    stream_.wait();
    if (plain_) before_.push_back(copy);
  }

  dnnl::engine engine_;
  dnnl::stream stream_;
  bool plain_;
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  std::vector<Copy> before_, after_;
};

void bench_case(const Case& c, int64_t batch, DType dtype, bool last, Pass pass, int turns) {
  Problem problem(c, batch, dtype, last);
  const Ours ours(problem, pass);
  std::unique_ptr<Peer> peers[2];
  for (const bool plain : {false, true}) {
    try {
      peers[plain] = std::make_unique<Peer>(problem, pass, plain);
    } catch (const dnnl::error&) {  // oneDNN has no bf16 below AVX-512
    }
  }
  double best = 1e9, best_peer[2] = {1e9, 1e9};
  for (int turn = 0; turn < turns; ++turn) {
    wait_for_peer_threads();
    best = std::min(best, time_calls([&](int64_t) { ours.run(); }));
    for (int i = 0; i < 2; ++i) {
      if (peers[i]) best_peer[i] = std::min(best_peer[i], time_calls([&](int64_t) { peers[i]->run(); }));
    }
  }
  std::printf("%-14s %3ld->%3ld %4ldx%-4ld b%ld %-4s %s %-7s %8.3f ms %7.1f GFLOP/s", c.name, c.channels, c.features,
              c.height, c.width, batch, name(dtype), last ? "NHWC" : "NCHW", kPassNames[int(pass)], best * 1e3,
              problem.flops() / best / 1e9);
  for (int i = 0; i < 2; ++i) {
    if (peers[i])
      std::printf("  %s %7.1f %5.2f", i ? "plain" : "oneDNN", problem.flops() / best_peer[i] / 1e9,
                  best_peer[i] / best);
  }
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const PeerOptions options = start_beside_onednn(argc, argv, 5);
  std::printf("isa %s, %d threads; ratios: oneDNN's time / ours\n", isa_name(isa()), num_threads());
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Pass pass : {Pass::forward, Pass::by_lhs, Pass::by_rhs}) {
      for (const Case& c : kCases) {
        for (const int64_t batch : {1, 8}) {
          for (const bool last : {false, true}) {
            const std::string text = cat(c.name, " ", c.channels, "->", c.features, " b", batch, " ", name(dtype), " ",
                                         last ? "NHWC" : "NCHW", " ", kPassNames[int(pass)]);
            if (options.has(text)) bench_case(c, batch, dtype, last, pass, options.turns);
          }
        }
      }
    }
  }
}
