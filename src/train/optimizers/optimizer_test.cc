// SPDX-License-Identifier: Apache-2.0
// Each optimizer over several steps against its definition, written out in f64.
#include "train/optimizers/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "array/run_graph.h"
#include "ops/adamw_8bit/dynamic_map_test.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

using Numbers = std::vector<double>;
constexpr double kRate = 0.01;
constexpr int64_t kSteps = 5;

// Parameter and states, carried from step to step by the compiled update.
struct Machine {
  OptimizerOptions options;
  TrainedTensor tensor;
  Graph graph;
  std::vector<StateSpec> specs;
  std::vector<Bytes> state;  // parameter first

  Machine(const OptimizerOptions& o, const TrainedTensor& t, const Numbers& start) : options(o), tensor(t) {
    const TensorType type{DType::f32, t.dims}, scalar{DType::f32, {}};
    specs = optimizer_states(o, t);
    UpdateArgs args{.options = options,
                    .tensor = tensor,
                    .parameter = graph.input("p", type),
                    .gradient = graph.input("g", type),
                    .states = {},
                    .apply = graph.input("apply", {DType::boolean, {}}),
                    .rate = graph.input("rate", scalar),
                    .first = graph.input("first", scalar),
                    .second = graph.input("second", scalar)};
    state = {to_bytes(DType::f32, start)};
    for (const StateSpec& s : specs) {
      args.states.push_back(graph.input(s.name, s.type));
      state.emplace_back(size_t(s.type.bytes()));
    }
    const Update next = optimizer_update(args);
    graph.output("p", next.parameter);
    for (size_t i = 0; i < specs.size(); ++i) graph.output(specs[i].name, next.states[i]);
  }

  void step(const Numbers& gradient, int64_t number) {
    const auto scalar = [](double x) { return to_bytes(DType::f32, {x}); };
    const auto [first, second] = step_numbers(options, number);
    std::vector<Bytes> in = {
        state[0],      to_bytes(DType::f32, gradient), to_bytes(DType::boolean, {1}), scalar(kRate), scalar(first),
        scalar(second)};
    in.insert(in.end(), state.begin() + 1, state.end());
    state = run_graph(graph, in);
  }
  Numbers parameter() const { return to_doubles(DType::f32, state[0]); }
};

// One step in f64: changes p and the states m (of p's size each), which begin as zeros.
using Definition = std::function<void(Numbers& p, const Numbers& g, std::vector<Numbers>& m, int64_t step)>;

Numbers numbers(uint64_t key, int64_t count, double scale) {
  Numbers x;
  for (int64_t i = 0; i < count; ++i) x.push_back((2 * random_unit(key, uint64_t(i)) - 1) * scale);
  return x;
}

// Largest difference over the largest change of the parameter.
double distance(const OptimizerOptions& o, const TrainedTensor& tensor, const Definition& definition) {
  const int64_t n = tensor.size();
  const Numbers start = numbers(1, n, 0.5);
  Numbers p = start;
  Machine machine(o, tensor, start);
  std::vector<Numbers> m(4, Numbers(size_t(n), 0.0));
  double worst = 0, moved = 0;
  for (int64_t step = 1; step <= kSteps; ++step) {
    const Numbers g = numbers(10 + uint64_t(step), n, 0.3);
    machine.step(g, step);
    definition(p, g, m, step);
    for (size_t i = 0; i < p.size(); ++i) {
      worst = std::max(worst, std::abs(machine.parameter()[i] - p[i]));
      moved = std::max(moved, std::abs(start[i] - p[i]));
    }
  }
  return worst / moved;
}

Definition adamw_definition(const OptimizerOptions& o) {
  return [=](Numbers& p, const Numbers& g, std::vector<Numbers>& m, int64_t t) {
    for (size_t i = 0; i < p.size(); ++i) {
      m[0][i] = o.beta1 * m[0][i] + (1 - o.beta1) * g[i];
      m[1][i] = o.beta2 * m[1][i] + (1 - o.beta2) * g[i] * g[i];
      const double m_hat = m[0][i] / (1 - std::pow(o.beta1, t)), v_hat = m[1][i] / (1 - std::pow(o.beta2, t));
      p[i] = p[i] * (1 - kRate * o.weight_decay) - kRate * m_hat / (std::sqrt(v_hat) + o.eps);
    }
  };
}

Definition sgd_definition(const OptimizerOptions& o) {
  return [=](Numbers& p, const Numbers& given, std::vector<Numbers>& m, int64_t t) {
    for (size_t i = 0; i < p.size(); ++i) {
      const double g = given[i] + o.weight_decay * p[i];
      m[0][i] = t == 1 ? g : o.momentum * m[0][i] + (1 - o.dampening) * g;
      p[i] -= kRate * (o.momentum == 0 ? g : o.nesterov ? g + o.momentum * m[0][i] : m[0][i]);
    }
  };
}

Definition lion_definition(const OptimizerOptions& o) {
  return [=](Numbers& p, const Numbers& g, std::vector<Numbers>& m, int64_t) {
    for (size_t i = 0; i < p.size(); ++i) {
      const double c = o.beta1 * m[0][i] + (1 - o.beta1) * g[i];
      p[i] -= kRate * ((c > 0) - (c < 0) + o.weight_decay * p[i]);
      m[0][i] = o.beta2 * m[0][i] + (1 - o.beta2) * g[i];
    }
  };
}

// m[0]: row means in the first `rows` places, m[1]: column means, m[2]: the first moment.
Definition adafactor_definition(const OptimizerOptions& o, int64_t rows, int64_t columns) {
  return [=](Numbers& p, const Numbers& g, std::vector<Numbers>& m, int64_t t) {
    const double beta = 1 - std::pow(double(t), o.decay_rate);
    const size_t R = size_t(rows), C = size_t(columns);
    double mean = 0, squares = 0, size = 0;
    for (size_t r = 0; r < R; ++r) {
      double sum = 0;
      for (size_t c = 0; c < C; ++c) sum += g[r * C + c] * g[r * C + c] + o.square_eps;
      m[0][r] = beta * m[0][r] + (1 - beta) * sum / double(C);
      mean += m[0][r] / double(R);
    }
    for (size_t c = 0; c < C; ++c) {
      double sum = 0;
      for (size_t r = 0; r < R; ++r) sum += g[r * C + c] * g[r * C + c] + o.square_eps;
      m[1][c] = beta * m[1][c] + (1 - beta) * sum / double(R);
    }
    Numbers u(p.size());
    for (size_t i = 0; i < p.size(); ++i) {
      u[i] = g[i] / std::sqrt(m[0][i / C] * m[1][i % C] / mean);
      squares += u[i] * u[i];
      size += p[i] * p[i];
    }
    const double n = double(p.size());
    const double rate = kRate * (o.scale_parameter ? std::max(o.scale_eps, std::sqrt(size / n)) : 1);
    for (size_t i = 0; i < p.size(); ++i) {
      u[i] *= rate / std::max(1.0, std::sqrt(squares / n) / o.clip_threshold);
      m[2][i] = o.first_moment * m[2][i] + (1 - o.first_moment) * u[i];
      p[i] = p[i] * (1 - rate * o.weight_decay) - m[2][i];
    }
  };
}

// g / its rms when g is a vector: V = its square at the first step.
Definition adafactor_of_vectors(const OptimizerOptions& o) {
  return [=](Numbers& p, const Numbers& g, std::vector<Numbers>& m, int64_t t) {
    const double beta = 1 - std::pow(double(t), o.decay_rate);
    double squares = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      m[0][i] = beta * m[0][i] + (1 - beta) * (g[i] * g[i] + o.square_eps);
      squares += g[i] * g[i] / m[0][i];
    }
    const double clip = std::max(1.0, std::sqrt(squares / double(p.size())) / o.clip_threshold);
    for (size_t i = 0; i < p.size(); ++i) p[i] -= kRate * g[i] / std::sqrt(m[0][i]) / clip;
  };
}

Numbers product(const Numbers& a, const Numbers& b, int64_t M, int64_t K, int64_t N) {
  Numbers c(size_t(M * N), 0.0);
  for (int64_t i = 0; i < M; ++i)
    for (int64_t k = 0; k < K; ++k)
      for (int64_t j = 0; j < N; ++j) c[size_t(i * N + j)] += a[size_t(i * K + k)] * b[size_t(k * N + j)];
  return c;
}
Numbers transposed(const Numbers& a, int64_t rows, int64_t columns) {
  Numbers t(a.size());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) t[size_t(c * rows + r)] = a[size_t(r * columns + c)];
  return t;
}

Definition muon_definition(const OptimizerOptions& o, int64_t rows, int64_t columns) {
  return [=](Numbers& p, const Numbers& g, std::vector<Numbers>& m, int64_t) {
    const bool tall = rows > columns;
    const int64_t M = std::min(rows, columns), K = std::max(rows, columns);
    Numbers x(p.size());
    double squares = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      m[0][i] = o.momentum * m[0][i] + (1 - o.momentum) * g[i];
      x[i] = o.nesterov ? (1 - o.momentum) * g[i] + o.momentum * m[0][i] : m[0][i];
      squares += x[i] * x[i];
    }
    for (double& one : x) one /= std::max(std::sqrt(squares), 1e-7);
    if (tall) x = transposed(x, rows, columns);
    for (int64_t s = 0; s < o.ns_steps; ++s) {
      const Numbers gram = product(x, transposed(x, M, K), M, K, M);
      Numbers polynomial = product(gram, gram, M, M, M);
      for (size_t i = 0; i < gram.size(); ++i) polynomial[i] = -4.7750 * gram[i] + 2.0315 * polynomial[i];
      const Numbers change = product(polynomial, x, M, M, K);
      for (size_t i = 0; i < x.size(); ++i) x[i] = 3.4445 * x[i] + change[i];
    }
    if (tall) x = transposed(x, columns, rows);
    const double by_form = o.adjust_lr == "original" ? std::sqrt(std::max(1.0, double(rows) / double(columns)))
                                                     : 0.2 * std::sqrt(double(K));
    for (size_t i = 0; i < p.size(); ++i) p[i] = p[i] * (1 - kRate * o.weight_decay) - kRate * by_form * x[i];
  };
}

// x as it comes back from 8 bits.
void round_to_8_bits(Numbers& x, const Numbers& map) {
  for (size_t begin = 0; begin < x.size(); begin += 256) {
    const size_t end = std::min(x.size(), begin + 256);
    double scale = 0;
    for (size_t i = begin; i < end; ++i) scale = std::max(scale, std::abs(x[i]));
    for (size_t i = begin; i < end && scale > 0; ++i) {
      double best = map[0];
      for (const double value : map)
        if (std::abs(value - x[i] / scale) < std::abs(best - x[i] / scale)) best = value;
      x[i] = best * scale;
    }
  }
}

Definition adamw_8bit_definition(const OptimizerOptions& o) {
  return [=, exact = adamw_definition(o)](Numbers& p, const Numbers& g, std::vector<Numbers>& m, int64_t t) {
    exact(p, g, m, t);
    round_to_8_bits(m[0], dynamic_map(true));
    round_to_8_bits(m[1], dynamic_map(false));
  };
}

const TrainedTensor wide{.name = "w", .dims = {5, 12}}, tall{.name = "t", .dims = {9, 4}},
    vector{.name = "b", .dims = {33}};

// Sums and roots in f32 of numbers near 1, a few in a row.
constexpr double kTolerance = 2e-5;

TEST(Optimizers, adamw_follows_its_definition) {
  const OptimizerOptions o{.weight_decay = 0.1, .beta1 = 0.8, .eps = 1e-6};
  EXPECT_LT(distance(o, wide, adamw_definition(o)), kTolerance);
}

TEST(Optimizers, sgd_follows_its_definition) {
  for (const auto& [momentum, dampening, nesterov] :
       {std::tuple{0.0, 0.0, false}, {0.9, 0.0, false}, {0.9, 0.0, true}, {0.7, 0.3, false}}) {
    const OptimizerOptions o{.kind = OptimizerKind::sgd,
                             .weight_decay = 0.1,
                             .momentum = momentum,
                             .dampening = dampening,
                             .nesterov = nesterov};
    EXPECT_LT(distance(o, wide, sgd_definition(o)), kTolerance) << momentum << dampening << nesterov;
  }
}

TEST(Optimizers, lion_follows_its_definition) {
  OptimizerOptions o = OptimizerOptions::of(OptimizerKind::lion);
  EXPECT_EQ(o.beta2, 0.99);
  o.weight_decay = 0.1;
  EXPECT_LT(distance(o, wide, lion_definition(o)), kTolerance);
}

TEST(Optimizers, adafactor_follows_its_definition) {
  OptimizerOptions o = OptimizerOptions::of(OptimizerKind::adafactor);
  EXPECT_LT(distance(o, wide, adafactor_definition(o, 5, 12)), kTolerance);
  EXPECT_LT(distance(o, vector, adafactor_of_vectors(o)), kTolerance);
  o.weight_decay = 0.1;
  o.first_moment = 0.9;
  o.scale_parameter = true;
  o.clip_threshold = 0.5;
  o.decay_rate = -0.5;
  EXPECT_LT(distance(o, tall, adafactor_definition(o, 9, 4)), kTolerance);
}

TEST(Optimizers, muon_follows_its_definition) {
  OptimizerOptions o = OptimizerOptions::of(OptimizerKind::muon);
  EXPECT_LT(distance(o, wide, muon_definition(o, 5, 12)), kTolerance);
  EXPECT_LT(distance(o, tall, muon_definition(o, 9, 4)), kTolerance);
  EXPECT_LT(distance(o, vector, adamw_definition(o)), kTolerance);
  TrainedTensor embedding = wide;
  embedding.hidden_matrix = false;
  EXPECT_LT(distance(o, embedding, adamw_definition(o)), kTolerance);
  o.nesterov = false;
  o.weight_decay = 0.1;
  o.adjust_lr = "match_rms_adamw";
  EXPECT_LT(distance(o, tall, muon_definition(o, 9, 4)), kTolerance);
}

TEST(Optimizers, biases_and_norms_do_not_decay) {
  OptimizerOptions o{.weight_decay = 0.5};
  TrainedTensor bias = vector;
  bias.decays = false;
  EXPECT_GT(distance(o, bias, adamw_definition(o)), 1e-3);
  o.weight_decay = 0;
  EXPECT_LT(distance({.weight_decay = 0.5}, bias, adamw_definition(o)), kTolerance);
}

// One number in a few thousand lies so near the middle of two values that f32 and f64 round it to different ones: the
// parameter then moves otherwise by that value's 2 % of a step.
TEST(Optimizers, adamw_8bit_follows_its_definition) {
  OptimizerOptions o = OptimizerOptions::of(OptimizerKind::adamw_8bit);
  EXPECT_EQ(optimizer_states(o, wide).size(), 2u);  // too small for 8 bits
  o.min_8bit_size = 0;
  o.weight_decay = 0.1;
  for (const Dims& dims : std::vector<Dims>{{5, 12}, {8, 64}, {3, 100}, {257}, {1}})
    EXPECT_LT(distance(o, {.name = "x", .dims = dims}, adamw_8bit_definition(o)), 1e-4) << ShowDims{dims};
}

TEST(Optimizers, adamw_8bit_states_are_codes_in_rising_order) {
  OptimizerOptions o{.kind = OptimizerKind::adamw_8bit, .beta1 = 0, .beta2 = 0, .min_8bit_size = 0};
  const Numbers map = dynamic_map(true);
  Machine machine(o, {.name = "x", .dims = {256}}, Numbers(256, 0.0));
  machine.step(map, 1);  // m becomes the gradient, v its square
  for (size_t i = 0; i < 256; ++i) EXPECT_EQ(int(machine.state[1][i]), int(i)) << map[i];
  EXPECT_EQ(to_doubles(DType::f32, machine.state[2]), Numbers{1});
  Numbers roots;
  for (const double value : dynamic_map(false)) roots.push_back(std::sqrt(value));
  machine.step(roots, 2);
  for (size_t i = 0; i < 256; ++i) EXPECT_EQ(int(machine.state[3][i]), int(i)) << roots[i];
}

TEST(Optimizers, adamw_8bit_keeps_blocks_of_tiny_numbers) {
  OptimizerOptions o{.kind = OptimizerKind::adamw_8bit, .min_8bit_size = 0};
  Machine machine(o, {.name = "x", .dims = {512}}, Numbers(512, 0.0));
  Numbers g(512, 0.0);
  g[3] = 1e-18;  // its square is below the smallest f32 that is not a denormal
  machine.step(g, 1);
  const Numbers p = machine.parameter();
  for (size_t i = 0; i < 512; ++i) EXPECT_EQ(p[i] != 0, i == 3) << i << " " << p[i];
  for (const double x : p) EXPECT_TRUE(std::isfinite(x));
}

TEST(Optimizers, adamw_8bit_takes_two_bytes_a_number) {
  const OptimizerOptions o = OptimizerOptions::of(OptimizerKind::adamw_8bit);
  int64_t bytes = 0;
  for (const StateSpec& state : optimizer_states(o, {.name = "x", .dims = {64, 1024}})) bytes += state.type.bytes();
  EXPECT_EQ(bytes, 2 * (65536 + 256 * 4));
}

}  // namespace
}  // namespace hearth
