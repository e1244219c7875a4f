// The items of a predict job, one after the other: pictures, and segments of IQ recordings,
// rendered for the model.
//
// Used by one thread.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "switchyard/v1/predict.pb.h"
#include "switchyard/v1/train.pb.h"
#include "worker/tasks/source/file_tree.h"
#include "worker/tasks/source/sample.h"

namespace switchyard::worker {

// One item: its name, and either pixels for the network or why there are none.
struct Item {
  std::string name;
  absl::StatusOr<std::vector<uint8_t>> pixels;
};

class ItemStream {
 public:
  // `input` is what the model was trained on; an item of the other sort becomes an error of that
  // item. Of a folder only files whose names say what they are become items (and not those of
  // recordings' data); a tree of one file is taken as its content says.
  ItemStream(std::shared_ptr<FileTree> tree, switchyard::v1::Source::Format input,
             const InputShape& shape);

  // Rendered on demand, in the byte order of paths. REQUIRES: !Done().
  Item Next();
  bool Done() const { return pending_.empty() && next_file_ == files_.size(); }
  // Share of the files that have been taken, 0 to 1.
  double Fraction() const;

 private:
  struct Pending {
    std::shared_ptr<FileTree> tree;
    absl::StatusOr<Sample> sample;
    std::string name;
  };
  void Expand(const std::string& path);
  void ExpandRecording(const std::shared_ptr<FileTree>& tree, const std::string& metadata_path,
                       const std::string& shown);
  void ExpandArchive(const std::string& path);
  void AddError(const std::string& name, absl::Status status);

  std::shared_ptr<FileTree> tree_;
  const switchyard::v1::Source::Format input_;
  const InputShape shape_;
  std::vector<std::string> files_;
  size_t next_file_ = 0;
  std::deque<Pending> pending_;  // Segments of the file taken last.
};

}  // namespace switchyard::worker
