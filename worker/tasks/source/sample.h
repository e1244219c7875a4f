// Samples: what one input of a network is made from: a picture file, or a stretch of an IQ
// recording. Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "switchyard/v1/source.pb.h"
#include "worker/data/render.h"
#include "worker/data/sigmf.h"
#include "worker/tasks/source/file_tree.h"

namespace switchyard::worker {

struct Sample {
  enum class Kind { kImage, kSegment };
  Kind kind = Kind::kImage;
  std::string name;   // What people see: the path, with `#K` behind it for one of several segments.
  std::string label;  // Empty when the data gives none.
  std::string path;   // Of the picture, or of the recording's `.sigmf-data`.
  SampleType type;    // Of a segment: how its samples lie in the file,
  int64_t first_byte = 0;
  int64_t samples = 0;  // and how many there are.
};

// By the ending of the name, whatever its case.
bool IsImagePath(absl::string_view path);
bool IsSigmfMetadataPath(absl::string_view path);
bool IsSigmfArchivePath(absl::string_view path);

// SIGMF when there is any `.sigmf-meta` or `.sigmf`, else IMAGE_FOLDER.
switchyard::v1::Source::Format DetectFormat(const FileTree& tree);

// The segments of one recording: its annotations, or the whole of it when it has none. Errors name
// the file. INVALID_ARGUMENT also for a segment that is not inside the data, or longer than 16 Mi
// samples.
absl::StatusOr<std::vector<Sample>> ListSegments(const FileTree& tree,
                                                 const std::string& metadata_path);

// All labelled samples, in the order of their paths. Of an image folder the label is the first
// folder's name; files that are no pictures, and pictures outside a class folder, are left out. Of
// recordings, segments without a label are left out. `left_out` counts them. INVALID_ARGUMENT
// (reason EMPTY_DATA_SET) says what was looked for when nothing is found.
absl::StatusOr<std::vector<Sample>> ListLabelled(const FileTree& tree,
                                                 switchyard::v1::Source::Format format,
                                                 int64_t& left_out);

// Reads and renders. Errors name the sample.
absl::StatusOr<std::vector<uint8_t>> RenderSample(const FileTree& tree, const Sample& sample,
                                                  const InputShape& shape);

}  // namespace switchyard::worker
