// SPDX-License-Identifier: Apache-2.0
#include "io/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "io/nearest.h"

namespace hearth {
namespace {

constexpr size_t kMaxBytes = size_t(32) << 20, kMaxObjects = size_t(4) << 20, kMaxMarks = 1000;
constexpr std::string_view kOrderedDict = "collections.OrderedDict";

class Machine {
 public:
  explicit Machine(const PickleSource& source) : source_(source) {}
  Pickle run();

 private:
  template <class... Values>
  [[noreturn]] void fail(const Values&... reason) const {
    HEARTH_FAIL(format, place(), printable(cat(reason...)), "\n  file ", source_.path,
                "\n  hint: the file is damaged; download or save it again");
  }
  template <class... Values>
  [[noreturn]] void refuse(const Values&... what) const {
    HEARTH_FAIL(unsupported, place(), printable(cat(what...)), "\n  file ", source_.path,
                "\n  hint: Hearth runs no code of pickle files; only plain tensors by name can be read");
  }
  std::string place() const {
    return cat(file_name(source_.path), source_.part.empty() ? "" : ": ", source_.part, ": byte ",
               source_.begin + opcode_at_, ": ");
  }

  // What follows an opcode.
  std::string_view take(uint64_t size);
  std::string_view line();
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  // The stack.
  PickleId make(PickleObject object);
  void push(PickleId id) { stack_.push_back(id); }
  void push_new(PickleObject object) { push(make(std::move(object))); }
  PickleId pop();
  std::vector<PickleId> pop_last(size_t count);
  std::vector<PickleId> pop_to_mark();
  PickleObject& top(PickleKind kind, const char* what);

  // The opcodes.
  void step(unsigned char opcode);
  bool step_data(unsigned char opcode);
  bool step_container(unsigned char opcode);
  bool step_memo(unsigned char opcode);
  void push_text(uint64_t size) { push_new({.kind = PickleKind::text, .text = take(size)}); }
  void push_integer(int64_t value) { push_new({.kind = PickleKind::integer, .number = value}); }
  void push_long(size_t bytes);
  void push_real();
  void push_name(std::string_view module, std::string_view name);
  void stack_name();
  void put(uint32_t slot);
  void get(uint32_t slot);
  void append(const std::vector<PickleId>& values);
  void set_items(const std::vector<PickleId>& pairs);
  void call();
  PickleObject ordered_dict(const PickleObject& arguments) const;

  const PickleSource& source_;
  size_t at_ = 0, opcode_at_ = 0;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, PickleId> memo_;
};

std::string_view Machine::take(uint64_t size) {
  if (size > kMaxBytes) fail("something of ", size, " bytes; Hearth reads pickles of up to ", kMaxBytes);
  if (size > source_.bytes.size() - at_) fail("the file ends in the middle of it");
  if (at_ + size > kMaxBytes) fail("the pickle is larger than the ", kMaxBytes, " bytes that Hearth reads");
  at_ += size;
  return source_.bytes.substr(at_ - size, size);
}

std::string_view Machine::line() {
  constexpr size_t kMaxLine = 1024;
  const std::string_view rest = source_.bytes.substr(at_, kMaxLine);
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos) fail("a name does not end");
  return take(end + 1).substr(0, end);
}

PickleId Machine::make(PickleObject object) {
  if (pickle_.objects.size() == kMaxObjects) fail("more than the ", kMaxObjects, " objects that Hearth reads");
  pickle_.objects.push_back(std::move(object));
  return PickleId(pickle_.objects.size() - 1);
}

PickleId Machine::pop() {
  if (stack_.size() == (marks_.empty() ? 0 : marks_.back())) fail("it takes from an empty stack");
  const PickleId id = stack_.back();
  stack_.pop_back();
  return id;
}

std::vector<PickleId> Machine::pop_last(size_t count) {
  std::vector<PickleId> ids(count);
  for (size_t i = count; i-- > 0;) ids[i] = pop();
  return ids;
}

std::vector<PickleId> Machine::pop_to_mark() {
  if (marks_.empty()) fail("there is no mark on the stack");
  std::vector<PickleId> ids(stack_.begin() + std::ptrdiff_t(marks_.back()), stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return ids;
}

PickleObject& Machine::top(PickleKind kind, const char* what) {
  const PickleId id = pop();
  push(id);
  PickleObject& object = pickle_.objects[id];
  if (object.kind != kind) fail("there is no ", what, " to add to");
  return object;
}

void Machine::push_long(size_t bytes) {
  const std::string_view text = take(bytes);
  if (bytes > 8) return push_new({.kind = PickleKind::big_integer, .text = text});
  uint64_t value = 0;
  std::memcpy(&value, text.data(), bytes);
  if (bytes > 0 && bytes < 8 && (text.back() & 0x80)) value |= ~uint64_t(0) << (8 * bytes);
  push_integer(int64_t(value));
}

void Machine::push_real() {  // big-endian
  uint64_t bits = 0;
  for (const char c : take(8)) bits = bits << 8 | uint8_t(c);
  push_new({.kind = PickleKind::real, .real = std::bit_cast<double>(bits)});
}

void Machine::push_name(std::string_view module, std::string_view name) {
  const std::string full = cat(module, ".", name);
  const auto found = std::find(source_.allowed.begin(), source_.allowed.end(), full);
  if (found == source_.allowed.end()) refuse("it names '", full, "', which plain tensors have no use for");
  push_new({.kind = PickleKind::name, .text = *found});
}

void Machine::stack_name() {
  const std::vector<PickleId> words = pop_last(2);
  const PickleObject &module = pickle_.at(words[0]), &name = pickle_.at(words[1]);
  if (module.kind != PickleKind::text || name.kind != PickleKind::text) fail("a name is no text");
  push_name(module.text, name.text);
}

void Machine::put(uint32_t slot) {
  const PickleId id = pop();
  push(id);
  if (memo_.size() == kMaxObjects) fail("more than the ", kMaxObjects, " objects that Hearth keeps");
  memo_[slot] = id;
}

void Machine::get(uint32_t slot) {
  const auto it = memo_.find(slot);
  if (it == memo_.end()) fail("it refers to object ", slot, ", which was not kept");
  push(it->second);
}

void Machine::append(const std::vector<PickleId>& values) {
  PickleObject& list = top(PickleKind::list, "list");
  list.items.insert(list.items.end(), values.begin(), values.end());
}

void Machine::set_items(const std::vector<PickleId>& pairs) {
  if (pairs.size() % 2 != 0) fail("a key has no value");
  PickleObject& dict = top(PickleKind::dict, "dict");
  dict.items.insert(dict.items.end(), pairs.begin(), pairs.end());
}

// Python 2 gave the pairs as an argument, Python 3 sets them afterwards.
PickleObject Machine::ordered_dict(const PickleObject& arguments) const {
  PickleObject dict{.kind = PickleKind::dict};
  if (arguments.items.empty()) return dict;
  const PickleObject& pairs = pickle_.at(arguments.items[0]);
  if (arguments.items.size() > 1 || pairs.kind != PickleKind::list) fail("an OrderedDict of something else than pairs");
  for (const PickleId id : pairs.items) {
    const PickleObject& pair = pickle_.at(id);
    const bool good = pair.kind == PickleKind::list || pair.kind == PickleKind::tuple;
    if (!good || pair.items.size() != 2) fail("an OrderedDict of something else than pairs");
    dict.items.insert(dict.items.end(), pair.items.begin(), pair.items.end());
  }
  return dict;
}

void Machine::call() {
  const std::vector<PickleId> parts = pop_last(2);
  const PickleObject &function = pickle_.at(parts[0]), &arguments = pickle_.at(parts[1]);
  if (function.kind != PickleKind::name) fail("it calls something that has no name");
  if (arguments.kind != PickleKind::tuple) fail("the arguments of '", function.text, "' are no tuple");
  if (function.text == kOrderedDict) return push_new(ordered_dict(arguments));
  push_new({.kind = PickleKind::call, .items = parts});
}

// Numbers, texts and names. False for other opcodes.
bool Machine::step_data(unsigned char opcode) {
  switch (opcode) {
    case 'N': push_new({}); return true;
    case 0x88: push_new({.kind = PickleKind::boolean, .number = 1}); return true;
    case 0x89: push_new({.kind = PickleKind::boolean, .number = 0}); return true;
    case 'J': push_integer(number<int32_t>()); return true;
    case 'K': push_integer(number<uint8_t>()); return true;
    case 'M': push_integer(number<uint16_t>()); return true;
    case 0x8a: push_long(number<uint8_t>()); return true;
    case 'G': push_real(); return true;
    case 'U':   // str of Python 2
    case 'C':   // bytes
    case 0x8c:  // str
      push_text(number<uint8_t>());
      return true;
    case 'T':
    case 'B':
    case 'X': push_text(number<uint32_t>()); return true;
    case 0x8d:
    case 0x8e: push_text(number<uint64_t>()); return true;
    case 'c': {
      const std::string_view module = line();
      push_name(module, line());
      return true;
    }
    case 0x93: stack_name(); return true;
    default: return false;
  }
}

bool Machine::step_container(unsigned char opcode) {
  const auto tuple = [&](std::vector<PickleId> items) {
    push_new({.kind = PickleKind::tuple, .items = std::move(items)});
  };
  switch (opcode) {
    case '(':
      if (marks_.size() == kMaxMarks) fail("more than ", kMaxMarks, " marks within one another");
      marks_.push_back(stack_.size());
      return true;
    case ')': tuple({}); return true;
    case 0x85:
    case 0x86:
    case 0x87: tuple(pop_last(opcode - 0x84u)); return true;
    case 't': tuple(pop_to_mark()); return true;
    case ']': push_new({.kind = PickleKind::list}); return true;
    case 'a': append(pop_last(1)); return true;
    case 'e': append(pop_to_mark()); return true;
    case '}': push_new({.kind = PickleKind::dict}); return true;
    case 's': set_items(pop_last(2)); return true;
    case 'u': set_items(pop_to_mark()); return true;
    case 'Q': push_new({.kind = PickleKind::persistent, .items = pop_last(1)}); return true;
    case 'R': call(); return true;
    case 'b':  // attributes, such as the versions of a state dict's modules
      pop();
      top(PickleKind::dict, "dict");
      return true;
    default: return false;
  }
}

bool Machine::step_memo(unsigned char opcode) {
  switch (opcode) {
    case 'q': put(number<uint8_t>()); return true;
    case 'r': put(number<uint32_t>()); return true;
    case 0x94: put(uint32_t(memo_.size())); return true;
    case 'h': get(number<uint8_t>()); return true;
    case 'j': get(number<uint32_t>()); return true;
    default: return false;
  }
}

void Machine::step(unsigned char opcode) {
  if (step_data(opcode) || step_container(opcode) || step_memo(opcode)) return;
  if (opcode == 0x95) return void(number<uint64_t>());  // length of a frame: nothing to do
  if (opcode != 0x80) {
    char code[8];
    std::snprintf(code, sizeof code, "0x%02x", opcode);
    refuse("opcode ", code, opcode > ' ' && opcode < 127 ? cat(" ('", char(opcode), "')") : "",
           ", which plain tensors have no use for");
  }
  const int protocol = number<uint8_t>();
  if (protocol < 2 || protocol > 5) refuse("protocol ", protocol, "; Hearth reads 2 to 5");
}

Pickle Machine::run() {
  while (true) {
    opcode_at_ = at_;
    const auto opcode = number<uint8_t>();
    if (opcode == '.') break;
    step(opcode);
  }
  pickle_.root = pop();
  pickle_.bytes = at_;
  return std::move(pickle_);
}

}  // namespace

Pickle parse_pickle(const PickleSource& source) { return Machine(source).run(); }

}  // namespace hearth
