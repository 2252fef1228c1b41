// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "call.h"

namespace hearth {

namespace {

using Axis = std::optional<int64_t>;

const CallTable kShapes = {
    HEARTH_CALL_ONE(ravel),
    HEARTH_CALL_ONE(atleast_1d),
    HEARTH_CALL_ONE(atleast_2d),
    HEARTH_CALL_ONE(atleast_3d),
    HEARTH_CALL_ONE(fliplr),
    HEARTH_CALL_ONE(flipud),
    {"reshape", [](const Call& c) { return Arrays{reshape(c[0], c.dims("shape"))}; }},
    {"expand_dims",
     [](const Call& c) {
       return Arrays{c.has("axes") ? expand_dims(c[0], c.dims("axes")) : expand_dims(c[0], c.integer("axis"))};
     }},
    {"squeeze", [](const Call& c) { return Arrays{c.has("axes") ? squeeze(c[0], c.dims("axes")) : squeeze(c[0])}; }},
    {"broadcast_shapes",
     [](const Call& c) { return Arrays{hearth::array(broadcast_shapes(c.get<std::vector<Dims>>("shapes")))}; }},
    {"broadcast_to", [](const Call& c) { return Arrays{broadcast_to(c[0], c.dims("shape"))}; }},
    {"broadcast_arrays", [](const Call& c) { return broadcast_arrays(c.arrays()); }},
    {"permute_dims", [](const Call& c) { return Arrays{permute_dims(c[0], c.dims("axes"))}; }},
    {"transpose",
     [](const Call& c) { return Arrays{c.has("axes") ? transpose(c[0], c.dims("axes")) : transpose(c[0])}; }},
    {"moveaxis",
     [](const Call& c) {
       return Arrays{c.get<Json>("source").is_array() ? moveaxis(c[0], c.dims("source"), c.dims("destination"))
                                                      : moveaxis(c[0], c.integer("source"), c.integer("destination"))};
     }},
    {"swapaxes", [](const Call& c) { return Arrays{swapaxes(c[0], c.integer("a"), c.integer("b"))}; }},
    {"flip", [](const Call& c) { return Arrays{c.has("axes") ? flip(c[0], c.dims("axes")) : flip(c[0])}; }},
    {"rot90",
     [](const Call& c) {
       return Arrays{rot90(c[0], c.integer("times", 1), c.get<Dims>("axes", Dims{0, 1}))};
     }},
    {"roll",
     [](const Call& c) {
       if (c.arrays().size() == 2) return Arrays{roll(c[0], c[1], c.maybe<Dims>("axes"))};
       return Arrays{c.has("axes") ? roll(c[0], c.dims("shifts"), c.dims("axes")) : roll(c[0], c.integer("shift"))};
     }},
};

const CallTable kJoining = {
    {"concat",
     [](const Call& c) { return Arrays{concat(c.arrays(), c.has("flat") ? Axis{} : Axis(c.integer("axis")))}; }},
    {"concatenate", [](const Call& c) { return Arrays{concatenate(c.arrays(), c.integer("axis"))}; }},
    {"stack", [](const Call& c) { return Arrays{stack(c.arrays(), c.integer("axis"))}; }},
    {"hstack", [](const Call& c) { return Arrays{hstack(c.arrays())}; }},
    {"vstack", [](const Call& c) { return Arrays{vstack(c.arrays())}; }},
    {"dstack", [](const Call& c) { return Arrays{dstack(c.arrays())}; }},
    {"column_stack", [](const Call& c) { return Arrays{column_stack(c.arrays())}; }},
    {"append", [](const Call& c) { return Arrays{append(c[0], c[1], c.maybe<int64_t>("axis"))}; }},
    {"unstack", [](const Call& c) { return unstack(c[0], c.integer("axis")); }},
    {"split",
     [](const Call& c) {
       return c.has("places") ? split(c[0], c.dims("places"), c.integer("axis"))
                              : split(c[0], c.integer("sections"), c.integer("axis"));
     }},
    {"array_split", [](const Call& c) { return array_split(c[0], c.integer("sections"), c.integer("axis")); }},
    {"hsplit", [](const Call& c) { return hsplit(c[0], c.integer("sections")); }},
    {"vsplit", [](const Call& c) { return vsplit(c[0], c.integer("sections")); }},
    {"dsplit", [](const Call& c) { return dsplit(c[0], c.integer("sections")); }},
    {"repeat",
     [](const Call& c) {
       if (c.arrays().size() == 2)
         return Arrays{repeat(c[0], c[1], c.maybe<int64_t>("axis"), c.maybe<int64_t>("total"))};
       return Arrays{c.has("each") ? repeat(c[0], c.dims("each"), c.maybe<int64_t>("axis"))
                                   : repeat(c[0], c.integer("times"), c.maybe<int64_t>("axis"))};
     }},
    {"tile", [](const Call& c) { return Arrays{tile(c[0], c.dims("times"))}; }},
    {"delete_at", [](const Call& c) { return Arrays{delete_at(c[0], c.dims("places"), c.maybe<int64_t>("axis"))}; }},
    {"insert_at",
     [](const Call& c) { return Arrays{insert_at(c[0], c.dims("places"), c[1], c.maybe<int64_t>("axis"))}; }},
};

PadMode pad_mode(const std::string& mode) {
  const std::map<std::string, PadMode> modes = {
      {"constant", PadMode::constant}, {"edge", PadMode::edge},           {"linear_ramp", PadMode::linear_ramp},
      {"maximum", PadMode::maximum},   {"mean", PadMode::mean},           {"minimum", PadMode::minimum},
      {"reflect", PadMode::reflect},   {"symmetric", PadMode::symmetric}, {"wrap", PadMode::wrap},
      {"empty", PadMode::empty}};
  return modes.at(mode);
}

Array call_pad(const Call& c) {
  if (c.has("low"))
    return pad(c[0], c[1], {.low = c.dims("low"), .high = c.dims("high"), .interior = c.dims("interior")});
  PadOptions options{.mode = pad_mode(c.get<std::string>("mode", "constant")),
                     .stat_length = c.maybe<PadWidths>("stat_length"),
                     .odd = c.get<bool>("odd", false)};
  for (const Json& pair : c.get<Json>("values", Json::array()))
    options.values.push_back({c.array(pair.at(0)), c.array(pair.at(1))});
  return pad(c[0], c.get<PadWidths>("widths"), options);
}

}  // namespace

void add_manipulation_calls(CallTable& table) {
  for (const CallTable* rows : {&kShapes, &kJoining}) table.insert(rows->begin(), rows->end());
  table["pad"] = [](const Call& c) { return Arrays{call_pad(c)}; };
}

}  // namespace hearth
