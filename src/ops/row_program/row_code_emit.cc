// SPDX-License-Identifier: Apache-2.0
// Values get registers in one pass over the line; when none is free, the value whose next use is farthest goes to the
// stack. Source: Belady 1966. What registers are left then keep invariants.
#include "ops/row_program/row_code_emit.h"

#include <algorithm>
#include <bit>

namespace hearth {
namespace {

constexpr int kMask = 1, kUnordered = 3;
constexpr VectorOpcode kLoad{0, 1, 0x10}, kStore{0, 1, 0x11}, kStreamingStore{0, 1, 0x2b}, kMove{0, 1, 0x28};
constexpr VectorOpcode kBroadcast{1, 2, 0x18}, kWiden16{1, 2, 0x33}, kNarrow16{2, 2, 0x33};
constexpr VectorOpcode kShift{1, 1, 0x72}, kCompare{0, 1, 0xc2}, kSqrt{0, 1, 0x51}, kToFloat{0, 1, 0x5b};
constexpr int kShiftLeft = 6, kShiftRight = 2, kShiftRightSigned = 4;
// Masks: in registers of their own with AVX-512, made words of all ones at once.
constexpr VectorOpcode kMaskToWords{2, 2, 0x38}, kTestZero{2, 2, 0x27}, kEqualWords{1, 1, 0x76};
constexpr VectorOpcode kBlend{1, 3, 0x4a}, kTernary{1, 3, 0x25}, kBlendByMask{1, 2, 0x65, false, kMask};
constexpr VectorOpcode kAdd{0, 1, 0x58}, kAddByMask{0, 1, 0x58, false, kMask};
constexpr VectorOpcode kReciprocal14{1, 2, 0x4c}, kReciprocal12{0, 1, 0x53}, kScale{1, 2, 0x2c}, kPermute{1, 2, 0x16},
    kPermute2{1, 2, 0x7f};
constexpr VectorOpcode kPackWords{1, 2, 0x2b}, kRange{1, 3, 0x50}, kPermuteQuads{1, 3, 0x00, true};
constexpr int kBitSelect = 0xca;
constexpr X86Register kPointers[] = {kRcx, kRdx, kR8, kR9, kR10, kR11, kRbx, kR12, kR13, kR14, kR15};
constexpr int kNever = 1 << 30;

bool walks(CodeOp op) {
  return op == CodeOp::load || op == CodeOp::load_bf16 || op == CodeOp::prefetch || op == CodeOp::prefetch_written ||
         (op >= CodeOp::store && op <= CodeOp::store_streaming);
}
bool has_value(CodeOp op) { return op < CodeOp::store; }
bool commutes(CodeOp op) {
  return op == CodeOp::add || op == CodeOp::mul || op == CodeOp::bits_and || op == CodeOp::bits_or ||
         op == CodeOp::bits_xor || op == CodeOp::bits_plus || op == CodeOp::largest_signed ||
         op == CodeOp::largest_unsigned || op == CodeOp::smallest_unsigned;
}

VectorOpcode two_operand_code(CodeOp op) {
  switch (op) {
    case CodeOp::add: return {0, 1, 0x58};
    case CodeOp::sub: return {0, 1, 0x5c};
    case CodeOp::mul: return {0, 1, 0x59};
    case CodeOp::div: return {0, 1, 0x5e};
    case CodeOp::min: return {0, 1, 0x5d};
    case CodeOp::max: return {0, 1, 0x5f};
    case CodeOp::bits_and: return {0, 1, 0x54};
    case CodeOp::bits_or: return {0, 1, 0x56};
    case CodeOp::bits_xor: return {0, 1, 0x57};
    case CodeOp::bits_plus: return {1, 1, 0xfe};
    case CodeOp::bits_minus: return {1, 1, 0xfa};
    case CodeOp::largest_signed: return {1, 2, 0x3d};
    case CodeOp::largest_unsigned: return {1, 2, 0x3f};
    case CodeOp::smallest_unsigned: return {1, 2, 0x3b};
    default: return kScale;
  }
}

// Where a value is: in a register, or in memory.
struct Place {
  int reg = -1;
  X86Memory memory;
};

class Emitter {
 public:
  // `kept`: so many invariants, the most used ones, stay in registers.
  Emitter(const CodeRecord& record, int kept) : r_(record), out_(record.wide), kept_(kept) {
    const int registers = record.wide ? 32 : 16;
    scratch_ = registers - 2;
    first_accumulator_ = scratch_ - r_.accumulators;
    first_kept_ = first_accumulator_ - kept_;
    holder_.assign(size_t(std::max(first_kept_, 0)), -1);
    places_.resize(r_.nodes.size());
    last_use_.assign(r_.nodes.size(), -1);
    for (int i = 0; i < int(r_.nodes.size()); ++i) {
      for (int in : r_.nodes[size_t(i)].in) {
        if (in >= 0) last_use_[size_t(in)] = i;
      }
    }
  }

  bool fits() const { return first_kept_ >= 4 && pointers() <= int(std::size(kPointers)); }
  int registers_used() const { return used_; }
  bool spilled() const { return spills_ > 0; }

  std::vector<uint8_t> run() {
    out_.begin();
    place_invariants();
    for (int a = 0; a < r_.accumulators; ++a) {
      VectorWords words;
      words.fill(r_.starts[size_t(a)]);
      out_.vector(kLoad, first_accumulator_ + a, 0, X86Memory{.constant = out_.constant(words)});
    }
    load_pointers();
    const int start = out_.start_loop();
    for (now_ = 0; now_ < int(r_.nodes.size()); ++now_) emit_node(r_.nodes[size_t(now_)]);
    out_.loop_again(start, r_.vectors * lanes());
    if (r_.accumulators > 0) out_.load_register(kRcx, kRdi, r_.arguments * 8);
    for (int a = 0; a < r_.accumulators; ++a)
      out_.vector(kStore, first_accumulator_ + a, 0, X86Memory{.base = kRcx, .displacement = a * out_.vector_bytes()});
    out_.set_stack(stack_places_ * out_.vector_bytes());
    out_.end(streams_);
    return out_.finish();
  }

 private:
  int lanes() const { return out_.vector_bytes() / 4; }
  int pointers() const { return int(streamed_arguments().size()); }

  std::vector<int> streamed_arguments() const {
    std::vector<int> found;
    for (const CodeNode& n : r_.nodes) {
      if (walks(n.op) && std::find(found.begin(), found.end(), n.immediate) == found.end())
        found.push_back(n.immediate);
    }
    return found;
  }

  void load_pointers() {
    pointer_of_ = streamed_arguments();
    for (size_t i = 0; i < pointer_of_.size(); ++i) out_.load_register(kPointers[i], kRdi, pointer_of_[i] * 8);
  }

  // --- invariants ---

  void place_invariants() {
    const size_t count = r_.invariants.size();
    std::vector<int> uses(count), order(count);
    for (size_t i = 0; i < count; ++i) order[i] = int(i);
    std::vector<int> invariant_of(r_.nodes.size(), -1);
    for (size_t n = 0; n < r_.nodes.size(); ++n) {
      if (r_.nodes[n].op == CodeOp::invariant) invariant_of[n] = r_.nodes[n].immediate;
      for (int in : r_.nodes[n].in) {
        if (in >= 0 && invariant_of[size_t(in)] >= 0) ++uses[size_t(invariant_of[size_t(in)])];
      }
    }
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return uses[size_t(a)] > uses[size_t(b)]; });
    invariants_.resize(count);
    for (size_t k = 0; k < count; ++k)
      invariants_[size_t(order[k])] = place_invariant(r_.invariants[size_t(order[k])], int(k));
  }

  Place place_invariant(const CodeInvariant& x, int rank) {
    Place place;
    if (rank < kept_) place.reg = first_kept_ + rank;
    const int reg = place.reg >= 0 ? place.reg : scratch_;
    if (x.argument < 0) {
      place.memory.constant = out_.constant(x.words);
      if (place.reg >= 0) out_.vector(kLoad, reg, 0, place.memory);
      return place;
    }
    out_.load_register(kRcx, kRdi, x.argument * 8);
    out_.vector(kBroadcast, reg, 0, X86Memory{.base = kRcx});
    if (place.reg < 0) {
      place.memory = new_stack_place();
      out_.vector(kStore, reg, 0, place.memory);
    }
    return place;
  }

  // --- values ---

  X86Memory new_stack_place() { return {.base = kRsp, .displacement = stack_places_++ * out_.vector_bytes()}; }
  const Place& place(int node) const { return places_[size_t(node)]; }
  bool in_register(int node) const { return place(node).reg >= 0; }
  bool dies(int node) const {
    return in_register(node) && place(node).reg < first_kept_ && last_use_[size_t(node)] == now_;
  }

  int next_use(int node) const {
    for (int i = now_; i < int(r_.nodes.size()); ++i) {
      const CodeNode& n = r_.nodes[size_t(i)];
      if (std::find(n.in, n.in + 3, node) != n.in + 3) return i;
    }
    return kNever;
  }

  // A register for the value of the node at hand.
  int take_register() {
    int reg = int(std::find(holder_.begin(), holder_.end(), -1) - holder_.begin());
    if (reg == int(holder_.size())) reg = spill();
    used_ = std::max(used_, reg + 1);
    holder_[size_t(reg)] = now_;
    return places_[size_t(now_)].reg = reg;
  }
  int spill() {
    int victim = -1, farthest = now_;  // inputs of the node at hand stay
    for (int reg = 0; reg < int(holder_.size()); ++reg) {
      const int use = next_use(holder_[size_t(reg)]);
      if (use > farthest) farthest = use, victim = reg;
    }
    Place& moved = places_[size_t(holder_[size_t(victim)])];
    moved.memory = new_stack_place();
    out_.vector(kStore, victim, 0, moved.memory);
    moved.reg = -1;
    ++spills_;
    return victim;
  }
  // The node at hand takes the register of an input that it is the last to use.
  int inherit(int node) {
    const int reg = place(node).reg;
    holder_[size_t(reg)] = now_;
    return places_[size_t(now_)].reg = reg;
  }
  void release_inputs(const CodeNode& n) {
    for (int in : n.in) {
      if (in >= 0 && dies(in) && holder_[size_t(place(in).reg)] == in) holder_[size_t(place(in).reg)] = -1;
    }
  }

  // In a register; number `which` of those that may come from memory at once.
  int in_reg(int node, int which = 0) {
    if (in_register(node)) return place(node).reg;
    out_.vector(kLoad, scratch_ + which, 0, place(node).memory);
    return scratch_ + which;
  }
  void with_operand(VectorOpcode op, int reg, int vvvv, int node, int immediate = -1) {
    if (in_register(node))
      out_.vector(op, reg, vvvv, place(node).reg, immediate);
    else
      out_.vector(op, reg, vvvv, place(node).memory, immediate);
  }
  void move(int reg, int node) {
    if (!in_register(node)) return out_.vector(kLoad, reg, 0, place(node).memory);
    if (place(node).reg != reg) out_.vector(kMove, reg, 0, place(node).reg);
  }

  X86Memory element(const CodeNode& n, int bytes) const {
    const size_t k = size_t(std::find(pointer_of_.begin(), pointer_of_.end(), n.immediate) - pointer_of_.begin());
    return {.base = kPointers[k], .scale = bytes, .displacement = int32_t(n.offset * bytes)};
  }

  // --- instructions ---

  void emit_node(const CodeNode& n) {
    Place& here = places_[size_t(now_)];
    switch (n.op) {
      case CodeOp::invariant: here = invariants_[size_t(n.immediate)]; return;
      case CodeOp::accumulator: here.reg = first_accumulator_ + n.immediate; return;
      case CodeOp::load: out_.vector(kLoad, take_register(), 0, element(n, 4)); break;
      case CodeOp::load_bf16: {
        const int to = take_register();
        out_.vector(kWiden16, to, 0, element(n, 2));
        out_.vector(kShift, kShiftLeft, to, to, 16);
        break;
      }
      case CodeOp::store: out_.vector(kStore, in_reg(n.in[0]), 0, element(n, 4)); break;
      case CodeOp::store_streaming:
        streams_ = true;
        out_.vector(kStreamingStore, in_reg(n.in[0]), 0, element(n, 4));
        break;
      case CodeOp::store_bf16: store_upper_halves(n); break;
      case CodeOp::prefetch: out_.prefetch(element(n, 4), false); break;
      case CodeOp::prefetch_written: out_.prefetch(element(n, 4), true); break;
      case CodeOp::nothing: break;
      case CodeOp::set_accumulator: move(first_accumulator_ + n.immediate, n.in[0]); break;
      case CodeOp::fma: multiply_add(n, 0xa8); break;
      case CodeOp::fnma: multiply_add(n, 0xac); break;
      case CodeOp::compare: compare(n); break;
      case CodeOp::is_zero: test_zero(n); break;
      case CodeOp::where: select(n); break;
      case CodeOp::nan_or: keep_nan(n); break;
      case CodeOp::where_nan: select_nan(n); break;
      case CodeOp::lookup32: look_up_in_halves(n); break;
      default: emit_simple(n);
    }
    release_inputs(n);
    if (has_value(n.op) && last_use_[size_t(now_)] < 0) holder_[size_t(here.reg)] = -1;
  }

  void emit_simple(const CodeNode& n) {
    switch (n.op) {
      case CodeOp::sqrt: return one_operand(kSqrt, n);
      case CodeOp::to_float: return one_operand(kToFloat, n);
      case CodeOp::reciprocal: return one_operand(out_.wide() ? kReciprocal14 : kReciprocal12, n);
      case CodeOp::bits_left: return shift(kShiftLeft, n);
      case CodeOp::bits_right: return shift(kShiftRight, n);
      case CodeOp::bits_right_signed: return shift(kShiftRightSigned, n);
      case CodeOp::lookup: {
        const int integer = in_reg(n.in[0]);
        release_inputs(n);
        return with_operand(kPermute, take_register(), integer, n.in[1]);
      }
      case CodeOp::range: {
        const int first = in_reg(n.in[0]);
        release_inputs(n);
        return with_operand(kRange, take_register(), first, n.in[1], n.immediate);
      }
      default: return two_operands(n);
    }
  }

  void one_operand(VectorOpcode op, const CodeNode& n) {
    release_inputs(n);
    const int to = take_register();
    with_operand(op, to, 0, n.in[0]);
  }
  void shift(int kind, const CodeNode& n) {
    const int from = in_reg(n.in[0]);
    release_inputs(n);
    out_.vector(kShift, kind, take_register(), from, n.immediate);
  }
  void two_operands(const CodeNode& n) {
    int a = n.in[0], b = n.in[1];
    if (commutes(n.op) && !in_register(a) && in_register(b)) std::swap(a, b);
    const int first = in_reg(a);
    release_inputs(n);
    with_operand(two_operand_code(n.op), take_register(), first, b);
  }

  // form213: to = first * to + rm; the code that is 16 higher: to = first * rm + to.
  void multiply_add(const CodeNode& n, uint8_t form213) {
    const VectorOpcode product{1, 2, form213}, sum{1, 2, uint8_t(form213 + 16)};
    int a = n.in[0], b = n.in[1];
    const int c = n.in[2];
    if (dies(c) && c != a && c != b) {
      if (!in_register(a) && in_register(b)) std::swap(a, b);
      const int first = in_reg(a);
      return with_operand(sum, inherit(c), first, b);
    }
    if (!dies(a) && dies(b)) std::swap(a, b);
    if (dies(a) && a != c) {
      const int first = a == b ? place(a).reg : in_reg(b);
      return with_operand(product, inherit(a), first, c);
    }
    const int to = take_register();  // none of the inputs'
    if (!in_register(c)) {
      move(to, a);
      return with_operand(product, to, in_reg(b), c);
    }
    move(to, c);
    if (!in_register(a)) std::swap(a, b);
    with_operand(sum, to, in_reg(a), b);
  }

  void compare(const CodeNode& n) {
    const int first = in_reg(n.in[0]);
    release_inputs(n);
    const int to = take_register();
    if (!out_.wide()) return with_operand(kCompare, to, first, n.in[1], n.immediate);
    with_operand(kCompare, kMask, first, n.in[1], n.immediate);
    out_.vector(kMaskToWords, to, 0, kMask);
  }
  void test_zero(const CodeNode& n) {
    const int from = in_reg(n.in[0]);
    release_inputs(n);
    const int to = take_register();
    if (out_.wide()) {
      out_.vector(kTestZero, kMask, from, from);
      out_.vector(kMaskToWords, to, 0, kMask);
    } else {
      out_.vector(kEqualWords, to, from, X86Memory{.constant = out_.constant({})});
    }
  }
  void select(const CodeNode& n) {
    const int mask = n.in[0], yes = n.in[1], no = n.in[2];
    if (out_.wide()) {
      const bool here = dies(mask) && mask != yes && mask != no;
      const int to = here ? inherit(mask) : take_register();
      if (!here) move(to, mask);
      return with_operand(kTernary, to, in_reg(yes), no, kBitSelect);
    }
    const int on = in_reg(mask, 0), first = in_reg(no, 1);
    release_inputs(n);
    const int to = take_register();
    with_operand(kBlend, to, first, yes, on << 4);
  }
  void select_nan(const CodeNode& n) {
    const int x = in_reg(n.in[0]), yes = n.in[1], no = n.in[2], mask = scratch_ + 1;
    if (out_.wide()) {
      out_.vector(kCompare, kMask, x, x, kUnordered);
      const int first = in_reg(no);
      release_inputs(n);
      return with_operand(kBlendByMask, take_register(), first, yes);
    }
    out_.vector(kCompare, mask, x, x, kUnordered);
    const int first = in_reg(no);
    release_inputs(n);
    with_operand(kBlend, take_register(), first, yes, mask << 4);
  }
  // The sum of a NaN and anything is NaN.
  void keep_nan(const CodeNode& n) {
    const int a = in_reg(n.in[0]), no = n.in[2], mask = scratch_ + 1;
    with_operand(kCompare, out_.wide() ? kMask : mask, a, n.in[1], kUnordered);
    const bool here = dies(no) && no != n.in[0] && no != n.in[1];
    const int to = here ? inherit(no) : take_register();
    if (!here) move(to, no);
    if (out_.wide()) return with_operand(kAddByMask, to, a, n.in[1]);
    with_operand(kAdd, scratch_, a, n.in[1]);
    out_.vector(kBlend, to, to, scratch_, mask << 4);
  }
  void look_up_in_halves(const CodeNode& n) {
    const int integer = in_reg(n.in[0]), to = take_register();
    move(to, n.in[1]);
    with_operand(kPermute2, to, integer, n.in[2]);
  }

  void store_upper_halves(const CodeNode& n) {
    const int from = in_reg(n.in[0]), half = scratch_ + 1;
    out_.vector(kShift, kShiftRight, half, from, 16);
    if (out_.wide()) {  // written to memory at once it would take several times as long (Zen 5)
      out_.vector(kNarrow16, half, 0, half);
    } else {
      out_.vector(kPackWords, half, half, half);
      out_.vector(kPermuteQuads, half, 0, half, 0x08);
    }
    out_.store_low_half(element(n, 2), half);
  }

  const CodeRecord& r_;
  X86Writer out_;
  int kept_, scratch_, first_accumulator_, first_kept_;
  std::vector<Place> places_, invariants_;  // of nodes; of invariants
  std::vector<int> last_use_;               // of nodes
  std::vector<int> holder_;                 // the node in each register, or -1
  std::vector<int> pointer_of_;             // the argument in each address register
  int now_ = 0, used_ = 0, spills_ = 0, stack_places_ = 0;
  bool streams_ = false;
};

}  // namespace

int CodeRecord::invariant(const CodeInvariant& value) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].op != CodeOp::invariant) continue;
    const CodeInvariant& known = invariants[size_t(nodes[i].immediate)];
    if (known.argument == value.argument && known.words == value.words) return int(i);
  }
  invariants.push_back(value);
  return add({.op = CodeOp::invariant, .immediate = int(invariants.size()) - 1});
}

EmittedCode emit(const CodeRecord& record) {
  Emitter plain(record, 0);
  if (!plain.fits()) return {};
  EmittedCode made;
  made.bytes = plain.run();
  made.spilled = plain.spilled();
  const int registers = (record.wide ? 30 : 14) - record.accumulators;
  const int kept = std::min(registers - plain.registers_used(), int(record.invariants.size()));
  if (!made.spilled && kept > 0) made.bytes = Emitter(record, kept).run();
  return made;
}

}  // namespace hearth
