#include "common/artifacts/open_store.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/artifacts/s3/s3_store.h"
#include "common/status/error.h"

namespace switchyard {
namespace {

constexpr uint32_t kMostAttempts = 20;

bool OnlyOf(absl::string_view text, absl::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           others.find(c) != absl::string_view::npos;
  });
}

bool IsRoot(absl::string_view endpoint) {
  if (!absl::ConsumePrefix(&endpoint, "https://") && !absl::ConsumePrefix(&endpoint, "http://")) {
    return false;
  }
  return !endpoint.empty() && OnlyOf(endpoint, "-.:[]");
}

absl::StatusOr<S3ClientOptions> OptionsOf(const config::v1::S3Store& s3) {
  absl::StatusOr<S3Credentials> credentials = S3CredentialsFromEnvironment();
  if (!credentials.ok()) return credentials.status();
  S3ClientOptions options;
  options.endpoint = std::string(absl::StripSuffix(s3.endpoint(), "/"));
  options.bucket = s3.bucket();
  if (!s3.region().empty()) options.region = s3.region();
  options.path_style = s3.path_style();
  options.ca_file = s3.ca_file();
  options.credentials = *std::move(credentials);
  if (s3.attempts() != 0) options.attempts = static_cast<int>(s3.attempts());
  return options;
}

}  // namespace

std::vector<std::string> FaultsOf(const config::v1::S3Store& s3) {
  std::vector<std::string> faults;
  const auto check = [&](bool good, absl::string_view field, absl::string_view description) {
    if (!good) faults.push_back(absl::StrCat("artifact_s3.", field, ": ", description));
  };
  check(IsRoot(absl::StripSuffix(s3.endpoint(), "/")), "endpoint",
        "required, the service's root: https://HOST[:PORT]");
  check(s3.bucket().size() >= 3 && OnlyOf(s3.bucket(), "-."), "bucket",
        "required, a bucket's name of letters, digits, `-` and `.`");
  check(OnlyOf(s3.region(), "-"), "region", "letters, digits and `-`");
  check(OnlyOf(s3.prefix(), "-_./") && !absl::StartsWith(s3.prefix(), "/") &&
            !absl::EndsWith(s3.prefix(), "/"),
        "prefix", "letters, digits, `-`, `_`, `.` and `/`, no slash at either end");
  check(s3.attempts() <= kMostAttempts, "attempts", absl::StrCat("at most ", kMostAttempts));
  return faults;
}

absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenArtifactStore(const std::string& directory,
                                                                 const config::v1::S3Store& s3) {
  if (s3.ByteSizeLong() == 0) return OpenDirectoryStore(directory);
  if (const auto faults = FaultsOf(s3); !faults.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
  }
  absl::StatusOr<S3ClientOptions> options = OptionsOf(s3);
  if (!options.ok()) return options.status();
  absl::StatusOr<std::unique_ptr<ArtifactStore>> store =
      OpenS3Store(*std::move(options), s3.prefix());
  return store.ok() ? std::move(store) : Annotate(store.status(), "opening artifact_s3");
}

}  // namespace switchyard
