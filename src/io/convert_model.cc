// SPDX-License-Identifier: Apache-2.0
#include "io/convert_model.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>

#include "base/error.h"
#include "base/float_convert.h"
#include "io/config_names.h"
#include "io/model_folder.h"
#include "io/save_model_folder.h"

namespace hearth {
namespace {

// Names of output layers and the embeddings that they may be tied to.
constexpr const char* kTied[][2] = {{"lm_head.weight", "model.embed_tokens.weight"},
                                    {"lm_head.weight", "transformer.wte.weight"},
                                    {"lm_head.weight", "transformer.word_embeddings.weight"},
                                    {"lm_head.weight", "model.decoder.embed_tokens.weight"},
                                    {"embed_out.weight", "gpt_neox.embed_in.weight"}};

bool same_bytes(const TensorRef& a, const TensorRef& b) {
  return a.type == b.type && (a.data == b.data || std::memcmp(a.data, b.data, size_t(a.bytes())) == 0);
}

// The output layers that are their embedding, with its name.
std::map<std::string, std::string> tied_tensors(const ModelFolder& model) {
  std::map<std::string, std::string> tied;
  if (!model.config_view().boolean_or("tie_word_embeddings", false)) return tied;
  for (const auto& [output, embedding] : kTied) {
    const TensorRef *a = model.find(output), *b = model.find(embedding);
    if (a && b && same_bytes(*a, *b)) tied.emplace(output, embedding);
  }
  return tied;
}

class Converter {
 public:
  Converter(const ModelFolder& model, const ConvertOptions& options);

  const std::vector<NewTensor>& tensors() const { return tensors_; }
  // Bytes of the new tensor. Overflows are counted when `counting`.
  std::span<const std::byte> bytes(const NewTensor& tensor, int64_t begin, std::span<std::byte> room, bool counting);
  ConvertReport report() const;

 private:
  const ModelFolder& model_;
  std::vector<NewTensor> tensors_;
  std::vector<std::string> tied_;
  std::map<std::string, std::atomic<int64_t>> overflows_;
};

Converter::Converter(const ModelFolder& model, const ConvertOptions& options) : model_(model) {
  const std::map<std::string, std::string> tied = tied_tensors(model);
  for (const std::string& name : model.names()) {
    const auto embedding = tied.find(name);
    if (embedding != tied.end()) tied_.push_back(name);
    if (embedding != tied.end() && options.format == WeightFormat::safetensors) continue;
    TensorType type = model.tensor(name).type;
    if (options.dtype && is_float(type.dtype)) type.dtype = *options.dtype;
    tensors_.push_back({name, type, embedding == tied.end() ? "" : embedding->second});
    overflows_[name] = 0;
  }
}

std::span<const std::byte> Converter::bytes(const NewTensor& tensor, int64_t begin, std::span<std::byte> room,
                                            bool counting) {
  const TensorRef& source = model_.tensor(tensor.name);
  const DType from = source.type.dtype, to = tensor.type.dtype;
  if (from == to) return source.span().subspan(size_t(begin), room.size());
  const int64_t first = begin / size_bytes(to), count = int64_t(room.size()) / size_bytes(to);
  const int64_t overflows = convert_floats(from, source.data + first * size_bytes(from), to, room.data(), count);
  if (counting && overflows > 0) overflows_.at(tensor.name) += overflows;
  return room;
}

ConvertReport Converter::report() const {
  ConvertReport report;
  report.tensors = int64_t(tensors_.size());
  report.tied = tied_;
  for (const NewTensor& tensor : tensors_) {
    report.converted += tensor.type != model_.tensor(tensor.name).type;
    if (tensor.same_as.empty()) report.bytes += tensor.type.bytes();
    const int64_t overflows = overflows_.at(tensor.name);
    if (overflows > 0) report.overflows.emplace_back(tensor.name, overflows);
  }
  return report;
}

}  // namespace

ConvertReport convert_model(const std::string& folder, const std::string& output, const ConvertOptions& options) {
  HEARTH_CHECK(
      !options.dtype || *options.dtype == DType::f32 || *options.dtype == DType::bf16 || *options.dtype == DType::f16,
      value, "convert: models are converted to f32, bf16 or f16, not ", *options.dtype);
  const ModelFolder model = ModelFolder::open(folder);
  Converter converter(model, options);
  const auto bytes_of = [&](bool counting) {
    return [&converter, counting](const NewTensor& tensor, int64_t begin, std::span<std::byte> room) {
      return converter.bytes(tensor, begin, room, counting);
    };
  };
  const Json config = options.dtype ? with_dtype(model.config(), *options.dtype) : model.config();
  const std::vector<std::string> files = save_model_folder(output, config, converter.tensors(), bytes_of(true),
                                                           {.format = options.format,
                                                            .shard_limit_bytes = options.shard_limit_bytes,
                                                            .source_folder = folder,
                                                            .progress = options.progress,
                                                            .expected = bytes_of(false)});
  model.check_unchanged();
  ConvertReport report = converter.report();
  report.files = files;
  return report;
}

}  // namespace hearth
