#include "scheduler/service/artifact_sweep.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "common/artifacts/artifact_uploads.h"
#include "scheduler/engine/row_codec.h"

namespace switchyard::scheduler {
namespace {

constexpr int kPage = 1000;
constexpr size_t kMostAtOnce = 100'000;
constexpr size_t kHashDigits = 64;

class Sweep {
 public:
  Sweep(JobStore& store, ArtifactStore& artifacts, const std::function<bool()>& stopped)
      : store_(store), artifacts_(artifacts), stopped_(stopped) {}

  absl::StatusOr<ArtifactSweep> Run(absl::Time before) {
    cut_ = before;
    const absl::StatusOr<int> abandoned = artifacts_.uploads().RemoveAbandoned(before);
    if (!abandoned.ok()) return abandoned.status();
    done_.abandoned = *abandoned;
    absl::Status status = FindCandidates();
    if (status.ok() && !candidates_.empty()) status = KeepWhatLiveJobsNeed();
    if (status.ok()) status = RemoveUnreferenced();
    if (!status.ok()) return status;
    return done_;
  }

 private:
  // Old and, as far as is known now, without a reference: mostly few. What counts is looked at
  // again.
  absl::Status FindCandidates() {
    for (std::string last; candidates_.size() < kMostAtOnce && !stopped_();) {
      const absl::StatusOr<std::vector<StoredArtifact>> page = artifacts_.List(last, kPage);
      if (!page.ok()) return page.status();
      if (page->empty()) break;
      std::map<std::string, StoredArtifact> old;
      for (const StoredArtifact& artifact : *page) {
        if (artifact.stored < cut_) old.emplace(artifact.sha256, artifact);
      }
      if (absl::Status status = DropReferenced(old); !status.ok()) return status;
      candidates_.merge(old);
      last = page->back().sha256;
    }
    return absl::OkStatus();
  }

  absl::Status DropReferenced(std::map<std::string, StoredArtifact>& artifacts) {
    std::vector<std::string> hashes;
    for (const auto& [sha256, artifact] : artifacts) hashes.push_back(sha256);
    const absl::StatusOr<std::vector<bool>> referenced = store_.AreArtifactsReferenced(hashes);
    if (!referenced.ok()) return referenced.status();
    for (size_t i = 0; i < hashes.size(); ++i) {
      if ((*referenced)[i]) artifacts.erase(hashes[i]);
    }
    return absl::OkStatus();
  }

  absl::Status KeepWhatLiveJobsNeed() {
    std::vector<JobId> ids;
    absl::Status status = store_.LoadLive([&](JobRow& row) {
      JobImage image;
      absl::Status decoded = DecodeRow(row, image);
      if (decoded.ok()) KeepNeedsOf(image);
      ids.push_back(row.id);
      return decoded;
    });
    for (size_t begin = 0; status.ok() && begin < ids.size() && !stopped_(); begin += kPage) {
      const size_t size = std::min<size_t>(kPage, ids.size() - begin);
      const auto rows = store_.GetJobs(absl::MakeSpan(ids).subspan(begin, size));
      status = rows.status();
      if (!status.ok()) break;
      for (const JobRow& row : *rows) KeepNamedIn(row.spec);
    }
    // Half a look is none.
    return status.ok() && stopped_() ? absl::CancelledError("the sweep was stopped") : status;
  }

  void KeepNeedsOf(const JobImage& image) {
    KeepNamedIn(image.links.inputs);
    KeepNamedIn(image.checkpoint);
    for (const OutputArtifact& output : image.outputs) candidates_.erase(output.sha256);
    for (const AttemptImage& attempt : image.attempts) {
      if (attempt.outcome != Outcome::kUnspecified) continue;
      cut_ = std::min(cut_, absl::FromUnixMicros(attempt.dispatch_us));
    }
  }

  // Whatever has the form of a hash. A length before it may look like a digit of it.
  void KeepNamedIn(absl::string_view bytes) {
    size_t digits = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      const bool digit = absl::ascii_isdigit(static_cast<unsigned char>(bytes[i])) ||
                         (bytes[i] >= 'a' && bytes[i] <= 'f');
      digits = digit ? digits + 1 : 0;
      if (digits < kHashDigits) continue;
      candidates_.erase(std::string(bytes.substr(i + 1 - kHashDigits, kHashDigits)));
    }
  }

  absl::Status RemoveUnreferenced() {
    if (absl::Status status = DropReferenced(candidates_); !status.ok()) return status;
    for (const auto& [sha256, artifact] : candidates_) {
      if (stopped_()) return absl::CancelledError("the sweep was stopped");
      if (artifact.stored >= cut_) continue;
      const absl::StatusOr<bool> removed = artifacts_.Remove(sha256, cut_);
      if (!removed.ok()) return removed.status();
      if (!*removed) continue;
      ++done_.removed;
      done_.removed_bytes += artifact.size_bytes;
    }
    return absl::OkStatus();
  }

  JobStore& store_;
  ArtifactStore& artifacts_;
  const std::function<bool()>& stopped_;
  absl::Time cut_;
  std::map<std::string, StoredArtifact> candidates_;
  ArtifactSweep done_;
};

}  // namespace

absl::StatusOr<ArtifactSweep> SweepArtifacts(JobStore& store, ArtifactStore& artifacts,
                                             absl::Time now, absl::Duration keep,
                                             const std::function<bool()>& stopped) {
  return Sweep(store, artifacts, stopped).Run(now - keep);
}

}  // namespace switchyard::scheduler
