// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "call.h"

namespace hearth {

namespace {

IndexMode index_mode(const Call& c, const std::string& otherwise) {
  const std::map<std::string, IndexMode> modes = {
      {"clip", IndexMode::clip}, {"drop", IndexMode::drop}, {"fill", IndexMode::fill}};
  return modes.at(c.get<std::string>("mode", otherwise));
}

UpdateOptions update_options(const Call& c) { return {.mode = index_mode(c, "drop")}; }

IndexedArray place(const Call& c) { return IndexedArray(c[0], c.index()); }

#define HEARTH_CALL_AT(f)                                                               \
  {                                                                                     \
    "at." #f, [](const Call& c) { return Arrays{place(c).f(c[1], update_options(c))}; } \
  }

const CallTable kIndexing = {
    {"get_indexed", [](const Call& c) { return Arrays{get_indexed(c[0], c.index())}; }},
    {"at.get",
     [](const Call& c) {
       return Arrays{place(c).get({.mode = index_mode(c, "clip"), .fill = c.maybe_array("fill")})};
     }},
    HEARTH_CALL_AT(set),
    HEARTH_CALL_AT(add),
    HEARTH_CALL_AT(subtract),
    HEARTH_CALL_AT(multiply),
    HEARTH_CALL_AT(divide),
    HEARTH_CALL_AT(power),
    HEARTH_CALL_AT(min),
    HEARTH_CALL_AT(max),
    {"at.apply",
     [](const Call& c) { return Arrays{place(c).apply([](const Array& x) { return x * x + 1; }, update_options(c))}; }},
    {"put", [](const Call& c) { return Arrays{put(c[0], c[1], c[2], index_mode(c, "drop"))}; }},
    {"place", [](const Call& c) { return Arrays{hearth::place(c[0], c[1], c[2])}; }},
    {"fill_diagonal",
     [](const Call& c) { return Arrays{fill_diagonal(c[0], c[1], {.wrap = c.get<bool>("wrap", false)})}; }},
    {"ix_",
     [](const Call& c) { return Arrays{get_indexed(c[0], ix_(Arrays(c.arrays().begin() + 1, c.arrays().end())))}; }},
    {"choose", [](const Call& c) { return Arrays{choose(c[0], Arrays(c.arrays().begin() + 1, c.arrays().end()))}; }},
};

}  // namespace

void add_indexing_calls(CallTable& table) { table.insert(kIndexing.begin(), kIndexing.end()); }

}  // namespace hearth
