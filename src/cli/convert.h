// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth convert: writes a model folder again in another type or other files.

#include "cli/flags_command.h"

namespace hearth {

struct ConvertFlags {
  std::string model, output, dtype, format = "safetensors", max_shard_size = "5GB";

  template <class Visit>
  void visit(Visit&& flag) {
    flag("model", model, "folder with config.json and weights, safetensors or pytorch_model.bin; stays as it is",
         {.needed = true, .path = PathKind::folder});
    flag("output", output, "new model folder", {.needed = true, .path = PathKind::folder});
    flag("dtype", dtype, "type of the new weights, rounded to nearest even",
         {.allowed = {"f32", "bf16", "f16"}, .default_text = "that of each weight"});
    flag("max-shard-size", max_shard_size, "more than this is split into several files: 5GB, 500MB, 2GiB",
         {.value_name = "SIZE"});
    flag("format", format, "files of the weights; bin: pytorch_model.bin, for old programs",
         {.allowed = {"safetensors", "bin"}});
  }
};

int run_convert(const ConvertFlags& flags, const CommonFlags& common);

}  // namespace hearth
