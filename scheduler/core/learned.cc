#include "scheduler/core/learned.h"

#include <algorithm>

#include "scheduler/core/slab.h"
#include "scheduler/policy/assign_ahead.h"
#include "scheduler/policy/memory_need.h"
#include "scheduler/policy/stuck.h"

namespace switchyard::scheduler {

uint32_t Learned::Find(uint8_t kind, uint32_t model, uint32_t shape) const {
  const auto found = numbers_.find(Key{kind, model, shape});
  return found == numbers_.end() ? kNone : found->second;
}

uint32_t Learned::NumberOf(uint8_t kind, uint32_t model, uint32_t shape, int64_t run_us) {
  const uint32_t found = Find(kind, model, shape);
  if (found != kNone) return found;
  const uint32_t number = static_cast<uint32_t>(entries_.size());
  entries_.push_back({.kind = kind, .model = model, .shape = shape, .run_us = run_us});
  numbers_.emplace(Key{kind, model, shape}, number);
  return number;
}

uint32_t Learned::Workload(uint8_t kind, uint32_t model, uint32_t shape) {
  if (model == 0 && shape == 0) return kind;
  if (entries_.size() < kMostWorkloads) return NumberOf(kind, model, shape, 0);
  for (const uint32_t known : {Find(kind, model, shape), Find(kind, model, 0)}) {
    if (known != kNone) return known;
  }
  return kind;
}

int64_t Learned::ExpectedRun(uint8_t kind, uint32_t model) const {
  const uint32_t own = model == 0 ? kNone : Find(kind, model, 0);
  if (own != kNone && entries_[own].run_us > 0) return entries_[own].run_us;
  return entries_[kind].run_us;
}

void Learned::LearnRun(uint8_t kind, uint32_t model, int64_t run_us) {
  changed_ = true;
  const auto learn = [run_us](Entry& entry) {
    entry.run_us = LearnRunTime(entry.run_us, run_us);
    entry.learned = true;
  };
  learn(entries_[kind]);
  const uint32_t own = Workload(kind, model, 0);
  if (own != kind) learn(entries_[own]);
}

int64_t Learned::ProgressGap(uint8_t kind, uint32_t model) const {
  const uint32_t own = model == 0 ? kNone : Find(kind, model, 0);
  if (own != kNone && entries_[own].gap_us > 0) return entries_[own].gap_us;
  return entries_[kind].gap_us;
}

void Learned::LearnProgress(uint8_t kind, uint32_t model, int64_t gap_us) {
  changed_ = true;
  const auto learn = [gap_us](Entry& entry) {
    entry.gap_us = LearnGap(entry.gap_us, gap_us);
    entry.learned = true;
  };
  learn(entries_[kind]);
  const uint32_t own = Workload(kind, model, 0);
  if (own != kind) learn(entries_[own]);
}

void Learned::LearnPeak(uint32_t workload, int64_t peak_bytes) {
  if (peak_bytes <= 0) return;
  changed_ = true;
  Entry& entry = entries_[workload];
  entry.peaks[entry.next_peak] = peak_bytes;
  entry.next_peak = (entry.next_peak + 1) % kPeaksKept;
  entry.need_bytes = NeedFromPeaks(entry.peaks);
  entry.learned = true;
}

void Learned::Restore(uint8_t kind, uint32_t model, uint32_t shape, const LearnedRecord& record) {
  Entry& entry = entries_[Workload(kind, model, shape)];
  if (record.run_us > 0) entry.run_us = record.run_us;
  entry.gap_us = std::max<int64_t>(0, record.gap_us);
  const size_t peaks = std::min(record.peaks.size(), kPeaksKept);
  entry.next_peak = 0;
  for (size_t i = peaks; i > 0; --i) {
    entry.peaks[entry.next_peak] = std::max<int64_t>(0, record.peaks[i - 1]);
    entry.next_peak = (entry.next_peak + 1) % kPeaksKept;
  }
  entry.need_bytes = NeedFromPeaks(entry.peaks);
  entry.learned = true;
}

}  // namespace switchyard::scheduler
