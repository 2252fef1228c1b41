// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads Python pickles without running anything: the result is a graph of plain objects in which a call is an object
// like any other, for the caller to make sense of or to refuse.
// Source: CPython, Lib/pickletools.py; protocols 2 to 5, of which only the opcodes that plain data needs.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

using PickleId = uint32_t;  // place of an object in Pickle::objects

enum class PickleKind : uint8_t {
  none,
  boolean,      // number
  integer,      // number
  big_integer,  // more than 64 bits; text: little-endian two's complement
  real,         // real
  text,         // text: str or bytes
  tuple,        // items
  list,         // items
  dict,         // items: key, value, key, value, ...
  name,         // text: "module.name" of a class or function
  call,         // items: a name and the tuple of arguments
  persistent,   // items: the tuple that the writer put in the place of an object kept elsewhere
};

struct PickleObject {
  PickleKind kind = PickleKind::none;
  int64_t number = 0;
  double real = 0;
  std::string_view text = {};  // in the pickle, or in the table of allowed names
  std::vector<PickleId> items = {};
};

// Items may lead back to the object that holds them: look only as deep as what you expect.
struct Pickle {
  std::vector<PickleObject> objects;
  PickleId root = 0;
  size_t bytes = 0;  // that it took

  const PickleObject& at(PickleId id) const { return objects[id]; }
};

struct PickleSource {
  std::string_view bytes;                     // may go on behind the pickle; must outlive the result
  std::span<const std::string_view> allowed;  // names that may appear
  const std::string& path;                    // for errors
  std::string_view part = {};                 // for errors: which part of the file it is
  size_t begin = 0;                           // for errors: place of bytes[0] in the part
};

// A collections.OrderedDict is a dict here, and its attributes are dropped. Throws Error{unsupported} for names that
// are not allowed and for opcodes that plain data has no use for, Error{format} for what is cut short or nonsense; each
// with its place. Time and memory are in proportion to the bytes read, at most 32 MiB of them and 4 million objects.
Pickle parse_pickle(const PickleSource& source);

}  // namespace hearth
