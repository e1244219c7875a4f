// Where things lie in a bucket. A value.
//
//   PREFIX/sha256/HASH                the bytes
//   PREFIX/sums/HASH                  their block sums (block_sums.h)
//   PREFIX/touched/HASH               its time is when the bytes were last touched
//   PREFIX/removing/HASH              somebody is about to remove the bytes (s3_store.cc)
//   PREFIX/uploads/TENANT/HASH/about  an upload in parts
//   PREFIX/uploads/TENANT/HASH/00001.TIME.RANDOM  its parts: written once, so that what was read
//                                     for the hash is what is published; the last name of a part
//                                     counts
//   PREFIX/tmp/RANDOM                 parts of bytes whose hash is not known yet
#pragma once

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/artifacts/artifact_uploads.h"

namespace switchyard {

class S3Layout {
 public:
  explicit S3Layout(absl::string_view prefix)
      : prefix_(prefix.empty() ? "" : absl::StrCat(prefix, "/")) {}

  const std::string& prefix() const { return prefix_; }
  std::string Artifacts() const { return prefix_ + "sha256/"; }
  std::string Artifact(absl::string_view sha256) const { return absl::StrCat(Artifacts(), sha256); }
  std::string Sums(absl::string_view sha256) const {
    return absl::StrCat(prefix_, "sums/", sha256);
  }
  std::string Touched(absl::string_view sha256) const {
    return absl::StrCat(prefix_, "touched/", sha256);
  }
  std::string Removing(absl::string_view sha256) const {
    return absl::StrCat(prefix_, "removing/", sha256);
  }
  std::string Temporary() const { return absl::StrCat(Temporaries(), RandomName()); }
  std::string Temporaries() const { return prefix_ + "tmp/"; }
  std::string Uploads() const { return prefix_ + "uploads/"; }
  std::string Upload(const UploadKey& key) const {
    return absl::StrCat(Uploads(), key.tenant, "/", key.sha256, "/");
  }
  std::string About(const UploadKey& key) const { return Upload(key) + "about"; }
  // A new name for a part, another one each time.
  std::string Part(const UploadKey& key, uint32_t part) const {
    return absl::StrCat(Upload(key), absl::StrFormat("%05d", part), ".",
                        absl::Hex(absl::ToUnixMillis(absl::Now()), absl::kZeroPad12), ".",
                        RandomName());
  }

 private:
  // Nobody finds it by guessing.
  static std::string RandomName() {
    std::random_device random;
    std::string name;
    for (int i = 0; i < 4; ++i) absl::StrAppend(&name, absl::Hex(random(), absl::kZeroPad8));
    return name;
  }

  std::string prefix_;
};

}  // namespace switchyard
