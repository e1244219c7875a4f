// What completions taught of work that is alike: how long it runs, how much memory it holds, how
// often it shows progress. Never what a job will truly do; before anything is learned, what its
// kind assumes.
//
// Work is alike by kind and model for run times and progress, and by kind, model and shape (batch,
// input size) for memory. Kept over restarts (Records, Restore) and bounded: once kMostWorkloads
// are known, further work is taken as its kind and model without shape, else as its kind.
//
// Internal to the core. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace switchyard::scheduler {

// One entry as it is stored. Times in microseconds.
struct LearnedRecord {
  uint16_t kind = 0;  // KindConfig::number.
  std::string model;  // Empty: all models of the kind.
  std::string shape;
  int64_t run_us = 0;          // Moving average; 0: not learned.
  int64_t gap_us = 0;          // Between signs of progress; 0: not learned.
  std::vector<int64_t> peaks;  // Bytes, newest first, at most kPeaksKept.
};

class Learned {
 public:
  static constexpr size_t kMostWorkloads = 16'384;
  static constexpr size_t kPeaksKept = 8;

  // A kind, by its index from 0 in order of calls. `assumed_run_us` 0: unknown.
  void AddKind(int64_t assumed_run_us) { NumberOf(kinds_++, 0, 0, assumed_run_us); }

  // Work that is alike, by number. `model` and `shape` are the core's interned numbers; 0: none.
  uint32_t Workload(uint8_t kind, uint32_t model, uint32_t shape);

  // Expected run time of an attempt: of the kind and model, else of the kind. 0: unknown.
  int64_t ExpectedRun(uint8_t kind, uint32_t model) const;
  void LearnRun(uint8_t kind, uint32_t model, int64_t run_us);

  // Usual longest gap between signs of progress: of the kind and model, else of the kind. 0: none
  // seen.
  int64_t ProgressGap(uint8_t kind, uint32_t model) const;
  void LearnProgress(uint8_t kind, uint32_t model, int64_t gap_us);

  // Memory that work of this number needs a device, with the margin; 0: not known.
  int64_t Need(uint32_t workload) const { return entries_[workload].need_bytes; }
  void LearnPeak(uint32_t workload, int64_t peak_bytes);

  // Whether anything was learned since the last call; for the engine, which then stores Records.
  bool TakeChanged() {
    const bool changed = changed_;
    changed_ = false;
    return changed;
  }

  // What is known, by number. Restore puts one back; text and numbers are the core's to translate.
  struct Entry {
    uint8_t kind = 0;
    uint32_t model = 0;
    uint32_t shape = 0;
    int64_t run_us = 0;
    int64_t gap_us = 0;
    int64_t need_bytes = 0;
    std::array<int64_t, kPeaksKept> peaks = {};  // A ring, from `next_peak`.
    uint32_t next_peak = 0;
    bool learned = false;  // Else only what the kind assumes.
  };
  const std::vector<Entry>& entries() const { return entries_; }
  void Restore(uint8_t kind, uint32_t model, uint32_t shape, const LearnedRecord& record);

 private:
  struct Key {
    uint8_t kind;
    uint32_t model;
    uint32_t shape;
    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.kind, key.model, key.shape);
    }
  };
  uint32_t Find(uint8_t kind, uint32_t model, uint32_t shape) const;
  uint32_t NumberOf(uint8_t kind, uint32_t model, uint32_t shape, int64_t run_us);

  uint8_t kinds_ = 0;
  std::vector<Entry> entries_;                  // The first are the kinds'.
  absl::flat_hash_map<Key, uint32_t> numbers_;  // Looked up only, never iterated.
  bool changed_ = false;
};

}  // namespace switchyard::scheduler
