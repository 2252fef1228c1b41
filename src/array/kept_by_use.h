// SPDX-License-Identifier: Apache-2.0
#pragma once
// A map from strings that keeps so many entries: a new one beyond that takes the place of the one used longest ago.
// find and add cost a hash of the key. Not safe for use from several threads at once.

#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace hearth {

template <class T>
class KeptByUse {
 public:
  explicit KeptByUse(size_t most) : most_(most) {}

  // Null when there is none. Valid until the next add.
  T* find(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->value;
  }
  // The key must not be there yet.
  T& add(std::string key, T value) {
    entries_.push_front({std::move(key), std::move(value)});
    by_key_[entries_.front().key] = entries_.begin();
    if (entries_.size() > most_) {
      by_key_.erase(entries_.back().key);
      entries_.pop_back();
    }
    return entries_.front().value;
  }
  void clear() {
    by_key_.clear();
    entries_.clear();
  }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    T value;
  };
  size_t most_;
  std::list<Entry> entries_;  // the one used last in front
  std::unordered_map<std::string, typename std::list<Entry>::iterator> by_key_;
};

}  // namespace hearth
