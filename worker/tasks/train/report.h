// What a training leaves for people to read: confusion matrix, per-class figures, curves. Pure
// functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "switchyard/v1/train.pb.h"
#include "worker/tasks/train/position.h"

namespace switchyard::worker {

// Counts of validation samples, row = true class, column = predicted class.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(size_t classes) : classes_(classes), counts_(classes * classes) {}
  // REQUIRES: both in [0, classes).
  void Add(int32_t truth, int32_t predicted) { ++counts_[truth * classes_ + predicted]; }
  uint64_t at(size_t truth, size_t predicted) const {
    return counts_[truth * classes_ + predicted];
  }
  std::vector<switchyard::v1::ClassFigures> Figures(const std::vector<std::string>& names) const;
  // {"classes": [...], "matrix": [[...], ...]}
  std::string Json(const std::vector<std::string>& names) const;

 private:
  size_t classes_;
  std::vector<uint64_t> counts_;
};

// class,precision,recall,f1,support
std::string PerClassCsv(const std::vector<switchyard::v1::ClassFigures>& figures);
// epoch,train_loss,train_accuracy,validation_loss,validation_accuracy
std::string CurvesCsv(const std::vector<EpochFigures>& history);

}  // namespace switchyard::worker
