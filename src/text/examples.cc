// SPDX-License-Identifier: Apache-2.0
#include "text/examples.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "base/error.h"
#include "base/file.h"

namespace hearth {
namespace {

constexpr size_t kReadBytes = 1 << 20, kMaxLineBytes = size_t{256} << 20;
constexpr int64_t kMaxJsonBytes = int64_t{1} << 30;

// Calls take(line, its number) for every line that is not blank.
void each_line(const std::string& file, const std::function<void(std::string_view, int64_t)>& take) {
  FileReader reader(file);
  std::string buffer;
  int64_t number = 0;
  bool more = true;
  const auto give = [&](std::string_view line) {
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // a byte order mark
    if (line.find_first_not_of(" \t\r") != line.npos) take(line, number);
  };
  while (more) {
    more = reader.append(buffer, kReadBytes);
    size_t begin = 0;
    for (size_t end = buffer.find('\n'); end != buffer.npos; end = buffer.find('\n', begin)) {
      give(std::string_view(buffer).substr(begin, end - begin));
      begin = end + 1;
    }
    buffer.erase(0, begin);
    HEARTH_CHECK(buffer.size() <= kMaxLineBytes, format, file, ": line ", number + 1, " has more than ",
                 kMaxLineBytes >> 20, " MiB\n  hint: a .jsonl file holds an object a line");
  }
  if (!buffer.empty()) give(buffer);
}

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
    if (file_.ends_with(".json"))
      read_list();
    else
      each_line(file_, [&](std::string_view line, int64_t number) {
        at(cat(file_, ": line ", number), [&] { add(parse_json(line, cat(file_, ": line ", number))); });
      });
    HEARTH_CHECK(blocks_.examples() > 0, value, "'", file_, "' has no example with at least 2 tokens");
    HEARTH_CHECK(blocks_.counted_tokens > 0, value, "'", file_, "': no token counts for the loss; all ",
                 blocks_.examples(), " examples are prompt within --max-length ", options_.max_length);
    blocks_.spool = spool_;
    if (options_.packing) pack();
    return std::move(blocks_);
  }

 private:
  // Errors of one example say where it stands.
  template <class Work>
  void at(const std::string& place, const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      if (std::string_view(error.what()).starts_with(file_)) throw;
      throw Error(error.kind(), place + ": " + error.what());
    }
  }

  void read_list() {
    const Json all = read_json_file(file_, {.max_bytes = kMaxJsonBytes});
    HEARTH_CHECK(all.is_array(), format, file_, ": a .json file of examples must be a list of objects, found ",
                 all.type_name(), "\n  hint: an object a line is a .jsonl file");
    for (size_t i = 0; i < all.size(); ++i) at(cat(file_, ": example ", i + 1), [&] { add(all[i]); });
  }

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

  void pack() {
    std::vector<int64_t> lengths;
    for (int64_t i = 0; i < blocks_.examples(); ++i) lengths.push_back(blocks_.length(i));
    blocks_.row_begins = {0};
    for (const std::vector<int64_t>& row : pack_rows(lengths, options_.max_length)) {
      blocks_.row_members.insert(blocks_.row_members.end(), row.begin(), row.end());
      blocks_.row_begins.push_back(static_cast<int64_t>(blocks_.row_members.size()));
    }
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
