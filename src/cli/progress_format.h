// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers as people read them: the one place for every command's bytes, counts and times.

#include <cstdint>
#include <optional>
#include <string>

namespace hearth {

std::string format_bytes(int64_t bytes);  // "512 B", "1.50 KiB", "12.5 MiB", "1.34 GiB": three digits
// The size that a text names: "5GB", "500 MB", "2GiB", "1024"; GB is 10^9, GiB 2^30. Nothing when it names none or one
// that does not fit 63 bits.
std::optional<int64_t> parse_bytes(const std::string& text);
std::string format_count(int64_t count);  // "1,893"
std::string format_short(double count);   // "1.89k", "14.2M", "1.10B": three digits
std::string format_seconds(
    double seconds);                   // "0.8 s", "42 s", "4 min 12 s", "3 h 05 min", "2 d 03 h"; "?" when not finite
std::string format_loss(double loss);  // four decimals, "nan", "inf"

}  // namespace hearth
