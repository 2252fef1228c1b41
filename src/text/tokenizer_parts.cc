// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_parts.h"

#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"

namespace hearth::tokenizers {

int32_t Parts::find(const std::string& token) const {
  const auto added_id = added_ids.find(token);
  return added_id != added_ids.end() ? added_id->second : model->vocab().id(token);
}

// New ids follow the vocabulary, or the added tokens where those lie behind it: the tokenizers library's rule.
int32_t Parts::add_token(const AddedToken& token, const std::string& where) {
  if (token.content.empty()) return -1;
  int32_t id = find(token.content);
  if (id < 0) {
    const int32_t size = model->vocab().size(), last = added_list.empty() ? -1 : added_list.rbegin()->first;
    id = last >= size ? last + 1 : size;
    HEARTH_CHECK(!model->vocab().has(id), format, where, ": the added token '", printable(token.content),
                 "' would get id ", id, ", which '", printable(model->vocab().text(id)), "' has");
    HEARTH_CHECK(id <= Vocab::kMaxId, format, where, ": more tokens than ", Vocab::kMaxId);
  }
  added_list[id] = token;
  added_ids[token.content] = id;
  return id;
}

void Parts::finish(const std::string& where) {
  HEARTH_CHECK(model->vocab().size() > 0, format, where, ": the vocabulary is empty");
  for (const auto& [id, token] : added_list) added.add(token, id, normalizer.apply(token.content), where);
  texts.assign(static_cast<size_t>(std::max(model->vocab().max_id_plus_1(), added.max_id() + 1)), nullptr);
  is_special.assign(texts.size(), false);
  for (int32_t id = 0; id < static_cast<int32_t>(texts.size()); ++id) {
    if (added.find(id) != nullptr) {
      texts[id] = &added.form(id);
    } else if (model->vocab().has(id)) {
      texts[id] = &model->vocab().text(id);
    }
    is_special[id] = texts[id] != nullptr && added.is_special_text(*texts[id]);
  }
}

}  // namespace hearth::tokenizers
