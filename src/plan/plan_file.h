// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plans in files. The format is described in docs/plan_format.md. A plan read back is equal to the one written.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace hearth {

// Throws Error{file}; the file appears whole or not at all.
void save_plan(const Plan& plan, const std::string& path);
// Throws Error{file} when the file cannot be read, {format} with file, byte offset and reason when it is no plan, is
// damaged or of a later version. What the plan says is checked by validate(), which every Session calls.
Plan load_plan(const std::string& path);

// The same in memory. `name` stands for the file in error messages.
std::vector<std::byte> plan_to_bytes(const Plan& plan);
enum class Checksums { verify, ignore };  // ignore: for fuzzing only
Plan plan_from_bytes(std::span<const std::byte> bytes, const std::string& name,
                     Checksums checksums = Checksums::verify);

}  // namespace hearth
