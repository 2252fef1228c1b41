// SPDX-License-Identifier: Apache-2.0
#include "text/vocab.h"

#include "base/error.h"
#include "io/nearest.h"

namespace hearth::tokenizers {

void Vocab::add(const std::string& text, int64_t id, const std::string& where) {
  HEARTH_CHECK(id >= 0 && id <= kMaxId, format, where, ": token '", printable(text), "' has id ", id,
               "; ids must be in 0..", kMaxId);
  HEARTH_CHECK(!has(static_cast<int32_t>(id)), format, where, ": two tokens have id ", id, ": '",
               printable(*texts_[static_cast<size_t>(id)]), "' and '", printable(text), "'");
  const auto [entry, is_new] = ids_.try_emplace(text, static_cast<int32_t>(id));
  HEARTH_CHECK(is_new, format, where, ": token '", printable(text), "' is there twice, with ids ", entry->second,
               " and ", id);
  if (id >= max_id_plus_1()) texts_.resize(static_cast<size_t>(id) + 1);
  texts_[static_cast<size_t>(id)] = &entry->first;
  ++count_;
}

int32_t Vocab::append(const std::string& text, const std::string& where) {
  const int32_t id = max_id_plus_1();
  HEARTH_CHECK(id <= kMaxId, format, where, ": more tokens than ", kMaxId);
  texts_.push_back(&ids_.insert_or_assign(text, id).first->first);
  ++count_;
  return id;
}

}  // namespace hearth::tokenizers
