// SPDX-License-Identifier: Apache-2.0
#include "text/examples.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "text/example_file.h"

namespace hearth {
namespace {

class ExampleFile {
 public:
  ExampleFile(const Tokenizer& tokenizer, const std::string& model_dir, const std::string& file,
              const ExampleOptions& options)
      : tokenizer_(tokenizer), file_(file), options_(options) {
    spool_ = std::make_shared<TokenSpool>(options.folder.empty() ? temporary_folder() : options.folder);
    if (ChatTemplate::is_in(model_dir)) chat_ = ChatTemplate::load(model_dir);
    blocks_.block_size = options.max_length;
    blocks_.example_begins = {0};
  }

  TokenBlocks run() {
    each_example(file_, [&](const Json& example) { add(example); });
    HEARTH_CHECK(blocks_.examples() > 0, value, "'", file_, "' has no example with at least 2 tokens");
    HEARTH_CHECK(blocks_.counted_tokens > 0, value, "'", file_, "': no token counts for the loss; all ",
                 blocks_.examples(), " examples are prompt within --max-length ", options_.max_length);
    blocks_.spool = spool_;
    if (options_.packing) pack_examples(blocks_);
    return std::move(blocks_);
  }

 private:
  void add(const Json& example) {
    std::vector<int32_t> ids = tokenize_example(tokenizer_, chat_ ? &*chat_ : nullptr, example, options_);
    const size_t most = static_cast<size_t>(options_.max_length);
    if (ids.size() > most) {
      ++blocks_.truncated;
      blocks_.truncated_tokens += static_cast<int64_t>(ids.size() - most);
      ids.resize(most);
    }
    if (ids.size() < 2) return;  // nothing to predict
    blocks_.counted_tokens += std::count_if(ids.begin() + 1, ids.end(), [](int32_t id) { return id >= 0; });
    spool_->append(ids);
    blocks_.example_begins.push_back(spool_->size());
  }

  const Tokenizer& tokenizer_;
  const std::string& file_;
  const ExampleOptions& options_;
  std::optional<ChatTemplate> chat_;
  std::shared_ptr<TokenSpool> spool_;
  TokenBlocks blocks_;
};

}  // namespace

bool holds_examples(const std::string& path) {
  return path.ends_with(".jsonl") || path.ends_with(".json") || path.ends_with(".ndjson");
}

TokenBlocks read_examples(const Tokenizer& tokenizer, const std::string& model_dir, const std::string& file,
                          const ExampleOptions& options) {
  HEARTH_CHECK(options.max_length >= 2, value, "the largest length of an example is ", options.max_length,
               "; it must be at least 2");
  return ExampleFile(tokenizer, model_dir, file, options).run();
}

}  // namespace hearth
