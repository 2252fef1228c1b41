// SPDX-License-Identifier: Apache-2.0
#include "cli/convert.h"

#include <iostream>
#include <optional>

#include "base/file.h"
#include "cli/flags.h"
#include "cli/progress.h"
#include "cli/progress_format.h"
#include "cli/text_format.h"
#include "io/convert_model.h"
#include "io/nearest.h"

namespace hearth {

static ConvertOptions convert_options(const ConvertFlags& flags) {
  ConvertOptions options;
  DType dtype{};
  if (parse_dtype(flags.dtype, &dtype)) options.dtype = dtype;
  options.format = flags.format == "bin" ? WeightFormat::bin : WeightFormat::safetensors;
  const std::optional<int64_t> size = parse_bytes(flags.max_shard_size);
  if (!size || *size <= 0)
    throw UsageError(
        cat("--max-shard-size: '", printable(flags.max_shard_size), "' is no size; write it like 5GB, 500MB or 2GiB"));
  options.shard_limit_bytes = *size;
  return options;
}

static Json report_json(const ConvertFlags& flags, const ConvertReport& report) {
  Json overflows = Json::object();
  for (const auto& [name, count] : report.overflows) overflows[name] = count;
  return {{"output", flags.output}, {"tensors", report.tensors}, {"converted", report.converted},
          {"bytes", report.bytes},  {"files", report.files},     {"tied", report.tied},
          {"overflows", overflows}};
}

static void warn_of_overflows(const ConvertFlags& flags, const ConvertReport& report) {
  if (report.overflows.empty()) return;
  int64_t total = 0;
  std::vector<std::string> names;
  for (const auto& [name, count] : report.overflows) {
    total += count;
    names.push_back(name);
  }
  std::cerr << "warning: " << format_count(total) << (total == 1 ? " number is" : " numbers are") << " too large for "
            << flags.dtype << " and became infinite, in " << list_names(names)
            << "\n  hint: --dtype bf16 has the range of f32\n";
}

int run_convert(const ConvertFlags& flags, const CommonFlags& common) {
  HEARTH_CHECK(!exists(flags.output) || !same_file(flags.model, flags.output), value, "--output '", flags.output,
               "' is the folder that is read; choose another");
  ConvertOptions options = convert_options(flags);
  std::optional<Progress> progress;
  progress.emplace(ProgressOptions{.label = "converting", .quiet = common.quiet, .every_steps = int64_t(1) << 62});
  options.progress = [&](int64_t done, int64_t total) {
    constexpr int64_t kMiB = 1 << 20;
    progress->update({.step = (done + kMiB - 1) / kMiB, .total = (total + kMiB - 1) / kMiB});
  };
  const ConvertReport report = convert_model(flags.model, flags.output, options);
  progress.reset();
  warn_of_overflows(flags, report);
  if (common.json) {
    print_json(report_json(flags, report));
  } else if (!common.quiet) {
    std::cout << "wrote " << report.tensors << " tensors (" << format_bytes(report.bytes) << ", " << report.converted
              << " converted) to " << flags.output << "; every one was read back and compared\n"
              << "next: "
              << shell_words({"hearth", "generate", "--model", flags.output, "--prompt", "Once upon a time"}) << "\n";
  }
  return 0;
}

}  // namespace hearth
