#include "worker/tasks/predict/items.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "worker/tasks/source/archive.h"

namespace switchyard::worker {
namespace {

using switchyard::v1::Source;

// `.sigmf` archives are read into memory.
constexpr int64_t kMostArchiveBytes = 512 << 20;

absl::Status WrongSort(absl::string_view is, absl::string_view wanted) {
  return MakeError(absl::StatusCode::kInvalidArgument, "WRONG_INPUT",
                   absl::StrCat("this is ", is, ", but the model was trained on ", wanted));
}

bool IsItem(const std::string& path) {
  return IsImagePath(path) || IsSigmfMetadataPath(path) || IsSigmfArchivePath(path);
}

}  // namespace

ItemStream::ItemStream(std::shared_ptr<FileTree> tree, Source::Format input,
                       const InputShape& shape)
    : tree_(std::move(tree)), input_(input), shape_(shape) {
  files_ = tree_->files();
  if (files_.size() == 1) return;
  files_.erase(std::remove_if(files_.begin(), files_.end(),
                              [](const std::string& path) { return !IsItem(path); }),
               files_.end());
}

double ItemStream::Fraction() const {
  return files_.empty() ? 1 : static_cast<double>(next_file_) / static_cast<double>(files_.size());
}

Item ItemStream::Next() {
  while (pending_.empty()) {
    Expand(files_[next_file_++]);
  }
  Pending pending = std::move(pending_.front());
  pending_.pop_front();
  if (!pending.sample.ok()) return {pending.name, pending.sample.status()};
  return {pending.name, RenderSample(*pending.tree, *pending.sample, shape_)};
}

// Always adds at least one pending item.
void ItemStream::Expand(const std::string& path) {
  if (IsSigmfMetadataPath(path)) return ExpandRecording(tree_, path, path);
  const absl::StatusOr<std::string> start = tree_->ReadRange(path, 0, 512);
  if (!start.ok()) return AddError(path, start.status());
  if (IsSigmfArchivePath(path) || LooksLikeArchive(*start)) return ExpandArchive(path);
  if (input_ == Source::SIGMF) {
    return AddError(path, WrongSort("no SigMF recording", "IQ recordings"));
  }
  Sample sample;
  sample.path = path;
  sample.name = path;
  pending_.push_back({tree_, std::move(sample), path});
}

void ItemStream::ExpandArchive(const std::string& path) {
  const absl::StatusOr<std::string> bytes = tree_->Read(path, kMostArchiveBytes);
  if (!bytes.ok()) return AddError(path, bytes.status());
  SourceLimits limits;
  limits.max_files = 10'000;
  limits.max_bytes = kMostArchiveBytes;
  auto files = ReadArchive(*bytes, limits);
  if (!files.ok()) return AddError(path, files.status());
  const std::shared_ptr<FileTree> tree = MakeMemoryTree(*std::move(files));
  std::vector<std::string> recordings;
  std::copy_if(tree->files().begin(), tree->files().end(), std::back_inserter(recordings),
               [](const std::string& inner) { return IsSigmfMetadataPath(inner); });
  if (recordings.empty()) {
    return AddError(path, absl::InvalidArgumentError("the archive holds no .sigmf-meta file"));
  }
  for (const std::string& inner : recordings) {
    const bool only = recordings.size() == 1;
    ExpandRecording(tree, inner, only ? path : absl::StrCat(path, "/", inner));
  }
}

void ItemStream::ExpandRecording(const std::shared_ptr<FileTree>& tree,
                                 const std::string& metadata_path, const std::string& shown) {
  if (input_ != Source::SIGMF) return AddError(shown, WrongSort("an IQ recording", "pictures"));
  absl::StatusOr<std::vector<Sample>> segments = ListSegments(*tree, metadata_path);
  if (!segments.ok()) return AddError(shown, segments.status());
  for (size_t i = 0; i < segments->size(); ++i) {
    const std::string name = segments->size() == 1 ? shown : absl::StrCat(shown, "#", i);
    pending_.push_back({tree, std::move((*segments)[i]), name});
  }
}

void ItemStream::AddError(const std::string& name, absl::Status status) {
  pending_.push_back({tree_, std::move(status), name});
}

}  // namespace switchyard::worker
