// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the fuzz entry does with bytes that claim to be a file of examples: read them line by line and as one list, for
// each kind of loss, packed and not. Only Error may come out.

#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "text/examples.h"

namespace hearth {

// A folder with a chat template, and a tokenizer of bytes.
class ExampleFuzzer {
 public:
  static const ExampleFuzzer& get() {
    static const ExampleFuzzer fuzzer;
    return fuzzer;
  }
  ~ExampleFuzzer() { remove_tree(folder_); }
  ExampleFuzzer(const ExampleFuzzer&) = delete;
  ExampleFuzzer& operator=(const ExampleFuzzer&) = delete;

  void run(std::string_view input) const {
    for (const char* name : {"examples.jsonl", "examples.json"}) {
      write(name, input);
      for (const LossOn loss_on : {LossOn::automatic, LossOn::all, LossOn::completion, LossOn::assistant})
        read(join_path(folder_, name), {.loss_on = loss_on, .max_length = 40, .packing = loss_on == LossOn::all});
    }
  }

 private:
  ExampleFuzzer() : folder_(join_path(temporary_folder(), "hearth-fuzz-XXXXXX")), tokenizer_(byte_tokenizer()) {
    if (!::mkdtemp(folder_.data())) std::abort();
    write("chat_template.jinja",
          "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls | tojson }}"
          "{% endif %}</s>{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}"
          "{% if add_generation_prompt %}<assistant>{% endif %}");
  }

  static Tokenizer byte_tokenizer() {
    Json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
    char name[8];
    for (int byte = 0; byte < 256; ++byte) {
      std::snprintf(name, sizeof name, "<0x%02X>", byte);
      vocab[name] = 3 + byte;
    }
    const Json model = {{"type", "BPE"}, {"vocab", vocab}, {"merges", Json::array()}, {"byte_fallback", true}};
    const Json end = {{"id", 2}, {"content", "</s>"}, {"special", true}};
    return Tokenizer::parse_json(Json({{"model", model}, {"added_tokens", {end}}}).dump(), "bytes.json");
  }

  void write(const char* name, std::string_view text) const {
    const std::string path = join_path(folder_, name);
    ::unlink(path.c_str());  // ext4 waits for the disk when a file is cut and written again
    std::ofstream(path, std::ios::binary) << text;
  }

  void read(const std::string& file, const ExampleOptions& options) const {
    try {
      const TokenBlocks blocks = read_examples(tokenizer_, folder_, file, options);
      for (int64_t i = 0; i < blocks.examples(); ++i) {
        const std::vector<int32_t> ids = blocks.block(i);
        if (ids.size() < 2 || int64_t(ids.size()) > options.max_length) std::abort();
        for (const int32_t id : ids)
          if ((id < 0 ? ~id : id) >= tokenizer_.vocab_size()) std::abort();
      }
      for (int64_t row = 0; row < blocks.count(); ++row)
        if (blocks.length(row) > options.max_length) std::abort();
    } catch (const Error& error) {
      if (error.kind() == Kind::bug) std::abort();
    }
  }

  std::string folder_;
  const Tokenizer tokenizer_;
};

}  // namespace hearth
