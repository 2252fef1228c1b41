// SPDX-License-Identifier: Apache-2.0
#include "generate/generator.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "generate/generation_graph.h"
#include "ops/random/threefry.h"

namespace hearth {

static constexpr int64_t kSmallestChunk = 16, kLargestChunk = 512;
static constexpr int64_t kCapacityStep = 256;  // so that texts of about one length share their plans

static int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

static int64_t chunk_for(int64_t tokens) {
  return std::clamp(int64_t(std::bit_ceil(uint64_t(tokens))), kSmallestChunk, kLargestChunk);
}

static double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Uniform in [0, 1), the same for the same seed and position in the text, whatever was drawn before.
static double uniform(uint64_t seed, int64_t position) {
  const auto high = [](uint64_t x) { return uint32_t(x >> 32); };
  const ThreefryBlock bits = threefry2x32(high(seed), uint32_t(seed), high(uint64_t(position)), uint32_t(position));
  return double((uint64_t(bits.x0) << 21) | (bits.x1 >> 11)) * 0x1p-53;
}

static bool is_end(const LanguageModel& model, int32_t id) {
  const std::vector<int32_t>& ends = model.spec().eos_ids;
  return std::find(ends.begin(), ends.end(), id) != ends.end();
}

double Generation::prefill_tokens_per_second() const {
  return prefill_seconds > 0 ? double(prompt_tokens) / prefill_seconds : 0;
}

double Generation::decode_tokens_per_second() const {
  const double steps = double(ids.size()) - (stopped ? 0 : 1);  // the first token comes from the prefill
  return decode_seconds > 0 && steps > 0 ? steps / decode_seconds : 0;
}

struct alignas(64) CacheLine {
  std::byte bytes[64];
};

// One compiled plan with the small inputs it reads.
struct ModelCall {
  std::unique_ptr<Session> session;
  std::vector<int32_t> tokens;  // [1,T]
  int32_t start = 0, last = 0;
  std::map<size_t, std::vector<float>> frequencies = {};  // of the ropes that depend on the text's length
};

struct Generator::State {
  const LanguageModel& model;
  const LoraAdapter* adapter;
  DType dtype;
  std::shared_ptr<Arena> arena = {};
  int64_t capacity = 0;                            // S of the cache
  std::vector<std::vector<CacheLine>> cache = {};  // keys and values of layer 0, of layer 1, ...
  std::map<int64_t, ModelCall> calls = {};         // by T, with the cache
  std::map<int64_t, ModelCall> whole_calls = {};   // by T, without

  void make_room(int64_t tokens);
  ModelCall& call(int64_t tokens, bool cached);
  std::vector<float> run(ModelCall& call, std::span<const int32_t> ids, int64_t start, int64_t length);
  std::vector<float> prefill(const std::vector<int32_t>& ids);
  std::vector<float> next(const std::vector<int32_t>& ids, bool cached);
  void check_ids(const std::vector<int32_t>& ids) const;
};

void Generator::State::check_ids(const std::vector<int32_t>& ids) const {
  const ModelSpec& c = model.spec();
  HEARTH_CHECK(!ids.empty(), value, "the prompt is empty, and this tokenizer puts no token in front of a text");
  for (const int32_t id : ids) {
    HEARTH_CHECK(id >= 0 && id < c.vocab, value, "the tokenizer gave token ", id, ", but the model has only ", c.vocab,
                 "; tokenizer and weights in '", model.path(), "' do not belong together");
  }
}

// A larger cache needs new plans, since its size is part of their shapes.
void Generator::State::make_room(int64_t tokens) {
  if (tokens <= capacity) return;
  calls.clear();
  capacity = round_up(tokens, kCapacityStep);
  const ModelSpec& c = model.spec();
  const size_t bytes = size_t(capacity * c.kv_heads * c.head_size * size_bytes(dtype));
  cache.assign(2 * c.layers.size(), std::vector<CacheLine>((bytes + 63) / 64));
}

ModelCall& Generator::State::call(int64_t tokens, bool cached) {
  ModelCall& call = (cached ? calls : whole_calls)[tokens];
  if (call.session) return call;
  Plan plan = compile_generation(model, adapter, {tokens, cached ? capacity : 0, dtype});
  if (!arena || !arena->fits(plan)) arena = Arena::for_plans({&plan});  // the prefill's, made first, serves all
  auto session = std::make_unique<Session>(std::move(plan), SessionOptions{.arena = arena});
  bind_model(*session, model, adapter);
  call.tokens.assign(size_t(tokens), 0);
  session->bind_input("tokens", call.tokens.data());
  session->bind_input("last", &call.last);
  if (cached) {
    session->bind_input("start", &call.start);
    for (size_t i = 0; i < cache.size(); ++i) {
      session->bind_input(cache_input(i % 2 == 0 ? "k" : "v", int64_t(i / 2)), cache[i].data());
    }
  }
  for (size_t i = 0; i < model.spec().ropes.size(); ++i) {
    const RopeSpec& rope = model.spec().ropes[i];
    if (rope.long_after == 0) continue;
    call.frequencies[i].resize(rope.frequencies.size());
    session->bind_input(frequencies_input(i), call.frequencies[i].data());
  }
  call.session = std::move(session);
  return call;
}

// `length`: of the whole text that the ids belong to, by which some models choose their angles.
// Rows behind the ids are padding: no query of an id sees them, and in the cache the next call writes over them.
std::vector<float> Generator::State::run(ModelCall& call, std::span<const int32_t> ids, int64_t start, int64_t length) {
  for (auto& [i, values] : call.frequencies) {
    const std::vector<double> now = rope_frequencies(model.spec().ropes[i], length);
    std::copy(now.begin(), now.end(), values.begin());
  }
  std::fill(std::copy(ids.begin(), ids.end(), call.tokens.begin()), call.tokens.end(), 0);
  call.start = int32_t(start);
  call.last = int32_t(ids.size()) - 1;
  call.session->run();
  const float* logits = static_cast<const float*>(call.session->output("logits"));
  return {logits, logits + model.spec().vocab};
}

std::vector<float> Generator::State::prefill(const std::vector<int32_t>& ids) {
  ModelCall& chunk = call(chunk_for(int64_t(ids.size())), true);
  const size_t step = chunk.tokens.size();
  std::vector<float> logits;
  for (size_t at = 0; at < ids.size(); at += step) {
    logits = run(chunk, std::span(ids).subspan(at, std::min(step, ids.size() - at)), int64_t(at), int64_t(ids.size()));
  }
  return logits;
}

// Logits behind all ids, of which the cache holds all but the last.
std::vector<float> Generator::State::next(const std::vector<int32_t>& ids, bool cached) {
  const int64_t length = int64_t(ids.size());
  if (!cached) return run(call(round_up(length, kSmallestChunk), false), ids, 0, length);
  for (const RopeSpec& rope : model.spec().ropes) {  // all keys turn by other angles from here on
    if (!rope.long_frequencies.empty() && length == rope.long_after + 1) return prefill(ids);
  }
  return run(call(1, true), std::span(ids).last(1), length - 1, length);
}

Generator::Generator(const LanguageModel& model, const LoraAdapter* adapter, DType dtype)
    : state_(new State{model, adapter, dtype}) {
  HEARTH_CHECK(dtype == DType::f32 || dtype == DType::bf16, value, "generation computes in f32 or bf16, not ", dtype);
}

Generator::~Generator() = default;

std::vector<float> Generator::logits(const std::vector<int32_t>& ids) {
  state_->check_ids(ids);
  const int64_t count = int64_t(ids.size()), most = state_->model.spec().max_positions;
  HEARTH_CHECK(count <= most, value, count, " tokens do not fit in the model's context of ", most);
  state_->make_room(round_up(count, chunk_for(count)));
  return state_->prefill(ids);
}

static void check_options(const GenerateOptions& o) {
  HEARTH_CHECK(o.max_tokens >= 0, value, "max_tokens must be at least 0; it is ", o.max_tokens);
  HEARTH_CHECK(o.temperature >= 0 && std::isfinite(o.temperature), value, "temperature must be 0 or more; it is ",
               o.temperature);
  HEARTH_CHECK(o.top_k >= 0, value, "top_k must be 0 (all tokens) or more; it is ", o.top_k);
  HEARTH_CHECK(o.top_p > 0 && o.top_p <= 1, value, "top_p must be above 0 and at most 1; it is ", o.top_p);
}

static void check_context(const LanguageModel& model, int64_t prompt, int64_t max_tokens) {
  const int64_t most = model.spec().max_positions;
  HEARTH_CHECK(prompt <= most, value, "the prompt has ", prompt, " tokens, but the model's context is ", most,
               "; shorten the prompt");
  HEARTH_CHECK(max_tokens <= most - prompt, value, "the prompt's ", prompt, " tokens and ", max_tokens,
               " new ones do not fit in the model's context of ", most, "; at most ", most - prompt, " new tokens do");
}

namespace {
// Turns tokens into text behind a prompt. The prompt's ids go through the decoder too: a first token loses its space.
class TextBehind {
 public:
  TextBehind(const Tokenizer& tokenizer, const std::vector<int32_t>& prompt,
             const std::function<bool(const std::string&)>& on_text)
      : decoder_(tokenizer), on_text_(on_text) {
    for (const int32_t id : prompt) decoder_.push(id);
  }
  bool push(int32_t id, std::string* text) { return emit(decoder_.push(id), text); }
  void finish(std::string* text) { emit(decoder_.finish(), text); }

 private:
  bool emit(const std::string& piece, std::string* text) {
    *text += piece;
    return piece.empty() || !on_text_ || on_text_(piece);
  }
  StreamDecoder decoder_;
  const std::function<bool(const std::string&)>& on_text_;
};
}  // namespace

Generation Generator::generate(const std::string& prompt, const GenerateOptions& options,
                               const std::function<bool(const std::string&)>& on_text) {
  check_options(options);
  State& s = *state_;
  std::vector<int32_t> ids = s.model.tokenizer().encode(prompt);
  s.check_ids(ids);
  Generation result;
  result.prompt_tokens = int64_t(ids.size());
  check_context(s.model, result.prompt_tokens, options.max_tokens);
  if (options.max_tokens == 0) return result;
  const int64_t room = result.prompt_tokens + options.max_tokens;
  if (options.cache) {
    s.make_room(std::max(room, round_up(result.prompt_tokens, chunk_for(result.prompt_tokens))));
    s.call(chunk_for(result.prompt_tokens), true);
    if (options.max_tokens > 1) s.call(1, true);
  }
  TextBehind text(s.model.tokenizer(), ids, on_text);
  const double begin = seconds_now();
  std::vector<float> logits = options.cache ? s.prefill(ids) : s.next(ids, false);
  const double decode_begin = seconds_now();
  result.prefill_seconds = decode_begin - begin;
  while (true) {
    const int32_t id = sample(logits, options, uniform(options.seed, int64_t(ids.size())));
    result.stopped = !options.ignore_eos && is_end(s.model, id);
    if (result.stopped) break;
    ids.push_back(id);
    result.ids.push_back(id);
    if (!text.push(id, &result.text) || int64_t(result.ids.size()) == options.max_tokens) break;
    logits = s.next(ids, options.cache);
  }
  result.decode_seconds = seconds_now() - decode_begin;
  text.finish(&result.text);
  return result;
}

}  // namespace hearth
