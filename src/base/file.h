// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files and folders. What is written appears whole under its name or not at all; what was there before stays until
// then. Every failure is Error{file} and names the path, the system's reason and what to do.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

bool exists(const std::string& path);     // follows links
bool is_folder(const std::string& path);  // follows links
bool same_file(const std::string& a, const std::string& b);
std::string join_path(const std::string& folder, const std::string& name);
std::string file_name(const std::string& path);                     // "model.safetensors" of "/x/model.safetensors"
std::string parent_folder(const std::string& path);                 // "/x" of "/x/model.safetensors", "." of "a"
std::vector<std::string> list_folder(const std::string& path);      // names, sorted, without . and ..
void ensure_folder(const std::string& path);                        // with its parents
std::string read_file(const std::string& path, int64_t max_bytes);  // refuses what is larger, or no regular file
void remove_tree(const std::string& path);                          // a file or a whole folder; absent is fine

// Throws Error{file}: "<what> '<path>': <strerror(error)>" and a hint where one would help.
[[noreturn]] void fail_file(const std::string& what, const std::string& path, int error);

// A file mapped read-only. Costs no read: pages come when touched and are shared with other processes.
// The mapping lives as long as the last shared_ptr. If somebody cuts the file short while it is mapped, its lost part
// reads as zeros instead of killing the process, and check_unchanged() reports it.
class MappedFile {
 public:
  static std::shared_ptr<const MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }  // page aligned; null for an empty file
  int64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  void check_unchanged() const;  // Error{file} if size or time of change differ from those at open(); about 1 us

 private:
  MappedFile() = default;
  std::string path_;
  const std::byte* data_ = nullptr;
  int64_t size_ = 0, mtime_ns_ = 0;
  int fd_ = -1, guard_ = -1;
};

// Writes into a temporary name in the same folder; commit() syncs and renames. Without commit the temporary vanishes.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  // For parts in any order by several threads at once: resize() to the whole, then each part at its place.
  void resize(int64_t bytes);
  // The disk begins with large parts at once, while the next ones are made.
  void write_at(int64_t offset, std::span<const std::byte> bytes);
  enum class Sync { now, with_folder };  // with_folder: an AtomicFolder holds the file and syncs it when it commits
  void commit(Sync sync = Sync::now);
  int64_t written() const { return written_; }
  const std::string& path() const { return path_; }
  const std::string& temporary() const { return temporary_; }

 private:
  void discard();
  std::string path_, temporary_;
  int fd_ = -1;
  int64_t written_ = 0;
};

void write_file_atomic(const std::string& path, std::string_view bytes);

// The same for a whole folder: fill temporary(), then commit().
//   AtomicFolder folder("run/checkpoint-100");  // makes run/checkpoint-100.tmp-1a2b3c4d
//   write_file_atomic(join_path(folder.temporary(), "state.json"), state);
//   folder.commit();                            // run/checkpoint-100 appears, whole
class AtomicFolder {
 public:
  enum class Existing { refuse, replace };

  explicit AtomicFolder(std::string path);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  // An empty folder of that name counts as absent. Replacing swaps the two folders in one step where the system can.
  void commit(Existing existing = Existing::refuse);
  const std::string& path() const { return path_; }
  const std::string& temporary() const { return temporary_; }

 private:
  void discard();
  std::string path_, temporary_;
  int fd_ = -1;  // holds a lock, by which remove_leftovers() knows that the writer lives
};

// Temporaries are called "<name>.tmp-<8 hex digits>". remove_leftovers deletes those in `folder` whose writer is gone
// (killed, power lost) and returns their names.
bool is_temporary_name(std::string_view name);
std::vector<std::string> remove_leftovers(const std::string& folder);

}  // namespace hearth
