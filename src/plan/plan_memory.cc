// SPDX-License-Identifier: Apache-2.0
#include "plan/plan_memory.h"

#include <algorithm>
#include <map>

#include "base/error.h"

namespace hearth {

std::string show_instruction(const Plan& plan, size_t instruction) {
  return cat("plan: instruction ", instruction, " (", plan.instructions[instruction].kernel, "): ");
}

std::string place_in_model(const Plan& plan, size_t instruction) {
  const std::string& scope = plan.instructions[instruction].scope;
  return scope.empty() ? "" : "\n  in " + scope;
}

std::string show_tensor(const Plan& plan, int32_t tensor) {
  return cat("tensor ", tensor, " ", plan.tensors[size_t(tensor)].type);
}

namespace {

// Who wrote a byte last, where that was no tensor.
constexpr int32_t kCaller = -1;  // what the caller bound to an input
constexpr int32_t kWorkspace = -2;

// A range of bytes of one memory: an arena, or what is bound to an input, or an output.
struct Place {
  size_t space = 0;
  int64_t begin = 0, end = 0;

  bool empty() const { return begin == end; }
  bool overlaps(const Place& other) const {
    return space == other.space && begin < other.end && other.begin < end && !empty() && !other.empty();
  }
  friend bool operator==(const Place&, const Place&) = default;
};

struct Segment {
  int64_t end = 0;
  int32_t writer = 0;
  size_t instruction = 0;
};

// The bytes of one memory that were written, as disjoint segments by their begin.
class History {
 public:
  void write(int64_t begin, int64_t end, int32_t writer, size_t instruction) {
    if (begin == end) return;
    split(begin);
    split(end);
    segments_.erase(segments_.lower_bound(begin), segments_.lower_bound(end));
    segments_[begin] = {end, writer, instruction};
  }

  // Calls visit(segment) for each segment in [begin, end), null where nothing was written.
  template <class Visit>
  void read(int64_t begin, int64_t end, Visit visit) const {
    auto segment = segments_.upper_bound(begin);
    if (segment != segments_.begin() && std::prev(segment)->second.end > begin) --segment;
    for (int64_t at = begin; at < end; ++segment) {
      if (segment == segments_.end() || segment->first > at) return visit(static_cast<const Segment*>(nullptr));
      visit(&segment->second);
      at = segment->second.end;
    }
  }

 private:
  void split(int64_t at) {
    auto segment = segments_.lower_bound(at);
    if (segment == segments_.begin()) return;
    --segment;
    if (segment->second.end <= at) return;
    segments_[at] = segment->second;
    segment->second.end = at;
  }

  std::map<int64_t, Segment> segments_;
};

class MemoryCheck {
 public:
  explicit MemoryCheck(const Plan& plan)
      : plan_(plan),
        history_(plan.devices.size() + plan.inputs.size() + plan.outputs.size()),
        written_(plan.tensors.size()),
        donated_(plan.inputs.size()) {
    for (const PlanPort& output : plan.outputs) {
      if (output.donor >= 0) donated_[size_t(output.donor)] = true;
    }
    for (const PlanInstruction& instruction : plan.instructions) {
      for (int32_t tensor : instruction.outputs) written_[size_t(tensor)] = true;
    }
    for (size_t i = 0; i < plan.inputs.size(); ++i) {
      const Place place = place_of(plan.inputs[i].tensor);
      history_[place.space].write(place.begin, place.end, kCaller, 0);
    }
  }

  void run() {
    for (size_t i = 0; i < plan_.instructions.size(); ++i) {
      const PlanInstruction& instruction = plan_.instructions[i];
      for (int32_t tensor : instruction.inputs)
        check_read(tensor, show_instruction(plan_, i), place_in_model(plan_, i));
      check_overlaps(i);
      write(workspace_of(instruction), kWorkspace, i);
      for (int32_t tensor : instruction.outputs) {
        check_writable(tensor, i);
        write(place_of(tensor), tensor, i);
      }
    }
    for (const PlanPort& output : plan_.outputs) check_output(output);
  }

 private:
  Place place_of(int32_t number) const {
    const PlanTensor& tensor = plan_.tensors[size_t(number)];
    const int64_t bytes = tensor.type.bytes();
    const size_t first_input = plan_.devices.size(), first_output = first_input + plan_.inputs.size();
    switch (tensor.storage) {
      case Storage::arena: return {size_t(tensor.device), tensor.offset, tensor.offset + bytes};
      case Storage::input: return {first_input + size_t(tensor.offset), 0, bytes};
      case Storage::output: {
        const int32_t donor = plan_.outputs[size_t(tensor.offset)].donor;
        return {donor >= 0 ? first_input + size_t(donor) : first_output + size_t(tensor.offset), 0, bytes};
      }
      case Storage::constant: break;  // never written, so it needs no history
    }
    return {};
  }

  static Place workspace_of(const PlanInstruction& instruction) {
    return {size_t(instruction.device), instruction.workspace_offset,
            instruction.workspace_offset + instruction.workspace_bytes};
  }

  void write(const Place& place, int32_t writer, size_t instruction) {
    history_[place.space].write(place.begin, place.end, writer, instruction);
  }

  // A tensor that some instruction writes must hold its own write. One that nobody writes is a view of what others
  // wrote; but a view of an input must find what the caller bound.
  bool may_read(int32_t tensor, const Segment& segment) const {
    const bool is_input = plan_.tensors[size_t(tensor)].storage == Storage::input;
    if (segment.writer == kCaller) return is_input;
    if (segment.writer == kWorkspace) return false;
    return segment.writer == tensor || (!written_[size_t(tensor)] && !is_input);
  }

  void check_read(int32_t tensor, const std::string& who, const std::string& where) const {
    if (plan_.tensors[size_t(tensor)].storage == Storage::constant) return;
    const Place place = place_of(tensor);
    history_[place.space].read(place.begin, place.end, [&](const Segment* segment) {
      HEARTH_CHECK(segment && (segment->writer != kCaller || may_read(tensor, *segment)), format, who,
                   show_tensor(plan_, tensor), " is read before anything wrote it", where);
      HEARTH_CHECK(may_read(tensor, *segment), format, who, show_tensor(plan_, tensor), " is read after instruction ",
                   segment->instruction, " (", plan_.instructions[segment->instruction].kernel, ") overwrote it with ",
                   segment->writer == kWorkspace ? "its workspace" : show_tensor(plan_, segment->writer), where);
    });
  }

  void check_writable(int32_t number, size_t i) const {
    const PlanTensor& tensor = plan_.tensors[size_t(number)];
    HEARTH_CHECK(tensor.storage != Storage::constant, format, show_instruction(plan_, i), "writes constant ",
                 show_tensor(plan_, number), place_in_model(plan_, i));
    HEARTH_CHECK(tensor.storage != Storage::input || donated_[size_t(tensor.offset)], format,
                 show_instruction(plan_, i), "writes ", show_tensor(plan_, number), ", which is input '",
                 plan_.inputs[size_t(tensor.offset)].name, "'; no output takes over its memory",
                 place_in_model(plan_, i));
  }

  // Sorted, so that an instruction with n arguments costs n log n and not n^2.
  void check_overlaps(size_t i) const {
    const PlanInstruction& instruction = plan_.instructions[i];
    std::vector<std::pair<Place, std::string>> written;
    written.emplace_back(workspace_of(instruction), "its workspace");
    for (int32_t tensor : instruction.outputs) {
      if (plan_.tensors[size_t(tensor)].storage == Storage::constant) continue;
      written.emplace_back(place_of(tensor), "output " + show_tensor(plan_, tensor));
    }
    std::erase_if(written, [](const auto& item) { return item.first.empty(); });
    const auto key = [](const Place& place) { return std::pair(place.space, place.begin); };
    std::sort(written.begin(), written.end(), [&](auto& a, auto& b) { return key(a.first) < key(b.first); });
    for (size_t k = 1; k < written.size(); ++k) {
      HEARTH_CHECK(!written[k].first.overlaps(written[k - 1].first), format, show_instruction(plan_, i),
                   written[k - 1].second, " and ", written[k].second, " overlap", place_in_model(plan_, i));
    }
    for (int32_t tensor : instruction.inputs) {
      if (plan_.tensors[size_t(tensor)].storage == Storage::constant) continue;
      const Place place = place_of(tensor);
      auto next = std::lower_bound(written.begin(), written.end(), std::pair(place.space, place.end),
                                   [&](const auto& item, const auto& end) { return key(item.first) < end; });
      // The written places are disjoint, so those that overlap stand together just before `next`.
      for (; next != written.begin() && std::prev(next)->first.overlaps(place); --next) {
        const auto& [target, name] = *std::prev(next);
        const bool in_place = target == place && name != "its workspace";
        HEARTH_CHECK(in_place, format, show_instruction(plan_, i), "input ", show_tensor(plan_, tensor), " and ", name,
                     " overlap; an output may only lie exactly on an input", place_in_model(plan_, i));
      }
    }
  }

  void check_output(const PlanPort& output) const {
    const Place place = place_of(output.tensor);
    bool untouched = true;
    history_[place.space].read(place.begin, place.end,
                               [&](const Segment* segment) { untouched &= segment && segment->writer == kCaller; });
    if (output.donor >= 0 && untouched) return;  // the input passes through
    check_read(output.tensor, cat("plan: output '", output.name, "': "), "");
  }

  const Plan& plan_;
  std::vector<History> history_;  // per arena, input, output
  std::vector<bool> written_;     // per tensor: some instruction writes it
  std::vector<bool> donated_;     // per input: some output takes over its memory
};

}  // namespace

void validate_memory(const Plan& plan) { MemoryCheck(plan).run(); }

}  // namespace hearth
