#include "worker/tasks/source/sample.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/status/error.h"
#include "worker/data/decode.h"

namespace switchyard::worker {
namespace {

using switchyard::v1::Source;

constexpr int64_t kMostImageBytes = 256 << 20;
constexpr int64_t kMostMetadataBytes = 64 << 20;
constexpr int64_t kMostSegmentSamples = 16 << 20;
constexpr char kMetadataEnding[] = ".sigmf-meta";

absl::Status BadSegment(const std::string& name, absl::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "BAD_SEGMENT",
                   absl::StrCat("'", name, "': ", why), {{"sample", name}});
}

// Fills the place of one annotation in the data file.
absl::StatusOr<Sample> MakeSegment(const SigmfMetadata& metadata, const SigmfAnnotation& annotation,
                                   int64_t total, Sample sample) {
  const int64_t rest = total - annotation.sample_start;
  sample.kind = Sample::Kind::kSegment;
  sample.label = annotation.label;
  sample.type = metadata.type;
  sample.samples = annotation.sample_count < 0 ? rest : annotation.sample_count;
  if (rest <= 0 || sample.samples > rest) {
    return BadSegment(sample.name,
                      absl::StrCat("a segment begins at ", annotation.sample_start, " and has ",
                                   annotation.sample_count, " samples, but the data has ", total));
  }
  if (sample.samples > kMostSegmentSamples) {
    return BadSegment(sample.name,
                      absl::StrCat("a segment has ", sample.samples, " samples; at most ",
                                   kMostSegmentSamples, " are read, so annotate shorter ones"));
  }
  sample.first_byte =
      metadata.header_bytes +
      annotation.sample_start * static_cast<int64_t>(metadata.type.bytes_per_sample());
  return sample;
}

absl::Status NoSamples(absl::string_view wanted) {
  return MakeError(absl::StatusCode::kInvalidArgument, "EMPTY_DATA_SET",
                   absl::StrCat("the data set is empty: ", wanted));
}

absl::StatusOr<std::vector<Sample>> ListImages(const FileTree& tree, int64_t& left_out) {
  std::vector<Sample> samples;
  for (const std::string& path : tree.files()) {
    const size_t slash = path.find('/');
    if (slash == std::string::npos || !IsImagePath(path)) {
      ++left_out;
      continue;
    }
    Sample sample;
    sample.name = path;
    sample.path = path;
    sample.label = path.substr(0, slash);
    samples.push_back(std::move(sample));
  }
  if (samples.empty()) {
    return NoSamples("one folder per class with .png, .jpg, .jpeg or .bmp files is looked for");
  }
  return samples;
}

absl::StatusOr<std::vector<Sample>> ListRecordings(const FileTree& tree, int64_t& left_out) {
  std::vector<Sample> samples;
  for (const std::string& path : tree.files()) {
    if (!IsSigmfMetadataPath(path)) continue;
    absl::StatusOr<std::vector<Sample>> segments = ListSegments(tree, path);
    if (!segments.ok()) return segments.status();
    for (Sample& segment : *segments) {
      if (segment.label.empty()) {
        ++left_out;
      } else {
        samples.push_back(std::move(segment));
      }
    }
  }
  if (samples.empty()) {
    return NoSamples(".sigmf-meta files with annotations that have a core:label are looked for");
  }
  return samples;
}

absl::StatusOr<std::vector<uint8_t>> Render(const FileTree& tree, const Sample& sample,
                                            const InputShape& shape) {
  if (sample.kind == Sample::Kind::kImage) {
    const absl::StatusOr<std::string> bytes = tree.Read(sample.path, kMostImageBytes);
    if (!bytes.ok()) return bytes.status();
    const absl::StatusOr<Image> image = DecodeImage(*bytes);
    if (!image.ok()) return image.status();
    return RenderImage(*image, shape);
  }
  const int64_t length = sample.samples * static_cast<int64_t>(sample.type.bytes_per_sample());
  const absl::StatusOr<std::string> bytes = tree.ReadRange(sample.path, sample.first_byte, length);
  if (!bytes.ok()) return bytes.status();
  return RenderSpectrogram(ConvertSamples(*bytes, sample.type), shape);
}

}  // namespace

bool IsImagePath(absl::string_view path) {
  for (const absl::string_view ending : {".png", ".jpg", ".jpeg", ".bmp"}) {
    if (absl::EndsWithIgnoreCase(path, ending)) return true;
  }
  return false;
}
bool IsSigmfMetadataPath(absl::string_view path) { return absl::EndsWith(path, kMetadataEnding); }
bool IsSigmfArchivePath(absl::string_view path) { return absl::EndsWith(path, ".sigmf"); }

Source::Format DetectFormat(const FileTree& tree) {
  const bool recordings =
      std::any_of(tree.files().begin(), tree.files().end(), [](const std::string& path) {
        return IsSigmfMetadataPath(path) || IsSigmfArchivePath(path);
      });
  return recordings ? Source::SIGMF : Source::IMAGE_FOLDER;
}

absl::StatusOr<std::vector<Sample>> ListSegments(const FileTree& tree,
                                                 const std::string& metadata_path) {
  const absl::StatusOr<std::string> json = tree.Read(metadata_path, kMostMetadataBytes);
  if (!json.ok()) return json.status();
  absl::StatusOr<SigmfMetadata> metadata = ParseSigmfMetadata(*json);
  if (!metadata.ok()) return Annotate(metadata.status(), absl::StrCat("'", metadata_path, "'"));
  const std::string data_path =
      absl::StrCat(absl::StripSuffix(metadata_path, kMetadataEnding), ".sigmf-data");
  const absl::StatusOr<int64_t> bytes = tree.Size(data_path);
  if (!bytes.ok()) return Annotate(bytes.status(), absl::StrCat("'", metadata_path, "'"));
  const int64_t total =
      (*bytes - metadata->header_bytes) / static_cast<int64_t>(metadata->type.bytes_per_sample());
  if (metadata->annotations.empty()) metadata->annotations.emplace_back();

  std::vector<Sample> segments;
  for (const SigmfAnnotation& annotation : metadata->annotations) {
    Sample sample;
    sample.path = data_path;
    sample.name = metadata->annotations.size() == 1
                      ? metadata_path
                      : absl::StrCat(metadata_path, "#", segments.size());
    absl::StatusOr<Sample> segment = MakeSegment(*metadata, annotation, total, std::move(sample));
    if (!segment.ok()) return segment.status();
    segments.push_back(*std::move(segment));
  }
  return segments;
}

absl::StatusOr<std::vector<Sample>> ListLabelled(const FileTree& tree, Source::Format format,
                                                 int64_t& left_out) {
  left_out = 0;
  return format == Source::SIGMF ? ListRecordings(tree, left_out) : ListImages(tree, left_out);
}

absl::StatusOr<std::vector<uint8_t>> RenderSample(const FileTree& tree, const Sample& sample,
                                                  const InputShape& shape) {
  absl::StatusOr<std::vector<uint8_t>> pixels = Render(tree, sample, shape);
  if (pixels.ok()) return pixels;
  return Annotate(pixels.status(), absl::StrCat("'", sample.name, "'"));
}

}  // namespace switchyard::worker
