// SPDX-License-Identifier: Apache-2.0
#pragma once
// Event files that TensorBoard reads: `tensorboard --logdir FOLDER`.
// A file is TFRecords: u64 length, u32 masked CRC32C of the length, bytes, u32 masked CRC32C of the bytes,
// little-endian; each record is an Event protobuf, encoded here by hand because five fields of two messages need no
// library. Source: tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto,
// tensorflow/core/framework/summary.proto.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth {

class TensorBoardWriter {
 public:
  // Starts a new file events.out.tfevents.<seconds>.hearth.<number> in the folder, which is made if it is missing.
  // Throws Error{file} naming the path and the system's reason.
  explicit TensorBoardWriter(const std::string& folder);
  // The same after a resume: TensorBoard then drops what earlier files of the folder hold from `first_step` on.
  TensorBoardWriter(const std::string& folder, int64_t first_step);

  // One event, on disk when the call returns: {{"train/loss", 3.2}, {"train/learning_rate", 2e-4}}. NaN is kept.
  void scalars(int64_t step, const std::vector<std::pair<std::string, double>>& values);

  const std::string& path() const { return path_; }

  TensorBoardWriter(TensorBoardWriter&& other) noexcept;
  TensorBoardWriter& operator=(TensorBoardWriter&& other) noexcept;
  ~TensorBoardWriter();

 private:
  void write_record(const std::string& event);

  int file_ = -1;
  std::string path_;
};

uint32_t crc32c(std::string_view bytes);       // Castagnoli
std::string tfrecord(std::string_view bytes);  // the bytes with their frame

}  // namespace hearth
