// SPDX-License-Identifier: Apache-2.0
#include "train/lora_init.h"

#include <charconv>
#include <cmath>

#include "base/error.h"
#include "io/nearest.h"
#include "ops/random/threefry.h"
#include "train/lora_arrays.h"
#include "train/lora_weights.h"

namespace hearth {
namespace {

constexpr std::string_view kRounds = "pissa_niter_";

// N of "pissa_niter_N"; -1 for another word.
int64_t rounds_of(const std::string& init) {
  if (!init.starts_with(kRounds)) return -1;
  int rounds = -1;
  const char *begin = init.data() + kRounds.size(), *end = init.data() + init.size();
  const auto [stop, error] = std::from_chars(begin, end, rounds);
  return error == std::errc() && stop == end && rounds >= 0 && rounds <= 1000 ? rounds : -1;
}

// [out,in] f32.
Array matrix(const TensorRef& weight, bool transposed) {
  const Array w = array_from_bytes(weight.type, weight.data).astype(DType::f32);
  return transposed ? matrix_transpose(w) : w;
}

// Kaiming's uniform distribution with a = sqrt(5), as of torch's linear layers.
void fill_uniform(AlignedFloats& a, int64_t in, uint64_t seed, uint32_t number) {
  const float bound = 1 / std::sqrt(float(in));
  for (size_t i = 0; i < a.size(); ++i) {
    const ThreefryBlock bits = threefry2x32(uint32_t(seed), uint32_t(seed >> 32), uint32_t(i), number);
    a[i] = (float(bits.x0 >> 8) * 0x1p-23f - 1.0f) * bound;
  }
}

// Rows 0, 2, ... of an orthogonal matrix make A, the others B.
void fill_orthogonal(LoraMatrices* m, const Array& key) {
  HEARTH_CHECK(m->rank % 2 == 0, value, "lora: orthogonal initialisation needs an even rank; it is ", m->rank);
  const Array keys = random::split(key, 3);
  const Array q = qr(random::normal(keys(0), {m->rank, m->rank})).q;
  const Array a = matmul(random::normal(keys(1), {m->in, m->rank / 2}), q(Slice::every(2)));
  const Array b = matmul(random::normal(keys(2), {m->out, m->rank / 2}), q(Slice{.start = 1, .step = 2}));
  m->a = floats_of(matrix_transpose(a) / 10);
  m->b = floats_of(b / 10);
}

struct Factors {
  Array u, s, vh;
};

// The largest `rank` singular values of w [m,n], from a basis of its range that rounds of multiplication sharpen.
Factors randomised_svd(const Array& w, int64_t rank, int64_t rounds, const Array& key) {
  if (w.dim(0) < w.dim(1)) {
    const Factors f = randomised_svd(matrix_transpose(w), rank, rounds, key);
    return {matrix_transpose(f.vh), f.s, matrix_transpose(f.u)};
  }
  Array q = qr(matmul(w, random::normal(key, {w.dim(1), rank}))).q;
  for (int64_t i = 0; i < rounds; ++i) {
    q = qr(matmul(matrix_transpose(w), q)).q;
    q = qr(matmul(w, q)).q;
  }
  const SvdResult small = svd(matmul(matrix_transpose(q), w), {.full_matrices = false});
  return {matmul(q, small.u), small.s, small.vh};
}

void fill_pissa(LoraMatrices* m, const Array& w, int64_t rounds, const Array& key) {
  Factors f;
  if (rounds >= 0) {
    f = randomised_svd(w, m->rank, rounds, key);
  } else {
    const SvdResult whole = svd(w, {.full_matrices = false});
    f = {whole.u(kAll, Slice::to(m->rank)), whole.s(Slice::to(m->rank)), whole.vh(Slice::to(m->rank))};
  }
  const Array root = sqrt(f.s / m->scale);
  m->a = floats_of(root(kAll, kNewAxis) * f.vh);
  m->b = floats_of(f.u * root);
}

void fill_olora(LoraMatrices* m, const Array& w) {
  const QrResult f = qr(w);
  m->a = floats_of(f.r(Slice::to(m->rank)));
  m->b = floats_of(f.q(kAll, Slice::to(m->rank)));
}

// The smallest singular values' left vectors; an embedding's weight is [in,out].
void fill_mica(LoraMatrices* m, const Array& w) {
  const SvdResult f = svd(w, {.full_matrices = false});
  m->b = floats_of(f.u(kAll, Slice::from(f.u.dim(1) - m->rank)));
}

void check_rank(const LoraMatrices& m, const std::string& init, const std::string& module) {
  HEARTH_CHECK(m.rank <= std::min(m.in, m.out), value, "lora: ", init, " takes the rank from the weight: '", module,
               "' [", m.out, ",", m.in, "] has no ", m.rank, " singular values");
}

}  // namespace

bool keeps_b(const std::string& init) { return init == "mica"; }

bool takes_from_base(const std::string& init) { return init == "olora" || init == "pissa" || rounds_of(init) >= 0; }

void check_init(const std::string& init) {
  HEARTH_CHECK(
      init == "default" || init == "gaussian" || init == "orthogonal" || keeps_b(init) || takes_from_base(init), value,
      "lora: there is no initialisation '", printable(init),
      "'; there are default, gaussian, orthogonal, pissa, pissa_niter_4 (or another number), olora, mica");
}

void initialise(LoraMatrices* m, const LoraConfig& config, const TensorRef& weight, const LinearModule& module,
                uint64_t seed, uint32_t number) {
  check_init(config.init);
  const std::string& init = config.init;
  const Array key = random::fold_in(random::key(int64_t(seed)), int64_t(number));
  m->a.assign(size_t(m->rank * m->in), 0.0f);
  m->b.assign(size_t(m->out * m->rank), 0.0f);
  m->b_frozen = keeps_b(init);
  if (m->b_frozen) {
    check_rank(*m, init, module.name);
    fill_mica(m, matrix(weight, module.transposed || m->embedding));
  } else if (m->embedding) {
    m->b = floats_of(random::normal(key, {m->out, m->rank}));
  } else if (init == "default") {
    fill_uniform(m->a, m->in, seed, number);
  } else if (init == "gaussian") {
    m->a = floats_of(random::normal(key, {m->rank, m->in}) / double(config.rank_of(module.name)));
  } else if (init == "orthogonal") {
    fill_orthogonal(m, key);
  } else {
    check_rank(*m, init, module.name);
    const Array w = matrix(weight, module.transposed);
    if (init == "olora")
      fill_olora(m, w);
    else
      fill_pissa(m, w, rounds_of(init), key);
    m->a0 = m->a;
    m->b0 = m->b;
  }
}

}  // namespace hearth
