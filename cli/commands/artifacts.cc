#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/commands/upload.h"
#include "cli/format/json.h"
#include "cli/format/table.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

class ArtifactsPut final : public Command {
 public:
  std::string name() const override { return "artifacts put"; }
  std::string summary() const override { return "Store a file, or a folder as a tar"; }
  void AddFlags(Flags& flags) override {
    flags.Text("PATH", &path_, "File or folder", Need::kRequired);
    flags.Text("--media-type", &media_type_, "IANA media type of a file");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::Artifact> artifact = Upload(session, path_, media_type_);
    if (!artifact.ok()) return artifact.status();
    if (session.json) session.out << ToJsonText(*artifact);
    return ExitCode::kOk;
  }

 private:
  std::string path_, media_type_ = "application/octet-stream";
};

class ArtifactsGet final : public Command {
 public:
  std::string name() const override { return "artifacts get"; }
  std::string summary() const override {
    return "Fetch an artifact into a file, or to standard output";
  }
  void AddFlags(Flags& flags) override {
    flags.Text("SHA256", &sha256_, "Its hash", Need::kRequired);
    flags.Text("-o,--output", &output_, "File to write (default: standard output)");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    return output_.empty() ? ToStandardOutput(session) : ToFile(session);
  }

 private:
  absl::StatusOr<ExitCode> ToStandardOutput(Session& session) const {
    const absl::Status status =
        session.client().GetArtifact(sha256_, [&](const v1::GetArtifactResponse& piece) {
          session.out.write(piece.data().data(), static_cast<std::streamsize>(piece.data().size()));
          return session.out ? absl::OkStatus() : absl::CancelledError("standard output is closed");
        });
    if (!status.ok()) return status;
    return ExitCode::kOk;
  }

  // Written beside and renamed: a broken transfer leaves no half file under the name.
  absl::StatusOr<ExitCode> ToFile(Session& session) const {
    const std::string partial = absl::StrCat(output_, ".part.", getpid());
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    int64_t size = 0;
    absl::Status status =
        session.client().GetArtifact(sha256_, [&](const v1::GetArtifactResponse& piece) {
          size += static_cast<int64_t>(piece.data().size());
          out.write(piece.data().data(), static_cast<std::streamsize>(piece.data().size()));
          return out ? absl::OkStatus()
                     : absl::ResourceExhaustedError(absl::StrCat("cannot write ", partial));
        });
    out.close();
    if (status.ok() && !out)
      status = absl::ResourceExhaustedError(absl::StrCat("cannot write ", partial));
    if (status.ok() && std::rename(partial.c_str(), output_.c_str()) != 0) {
      status = absl::PermissionDeniedError(absl::StrCat("cannot write ", output_));
    }
    if (!status.ok()) {
      unlink(partial.c_str());
      return status;
    }
    if (!session.json) session.out << output_ << ": " << BytesText(size) << "\n";
    return ExitCode::kOk;
  }

  std::string sha256_, output_;
};

class ArtifactsList final : public Command {
 public:
  std::string name() const override { return "artifacts list"; }
  std::string summary() const override { return "Your artifacts, and the room they take"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    v1::ListArtifactsResponse all;
    v1::ListArtifactsRequest request;
    request.set_page_size(1000);
    do {
      const absl::StatusOr<v1::ListArtifactsResponse> page =
          session.client().ListArtifacts(request);
      if (!page.ok()) return page.status();
      all.mutable_artifacts()->MergeFrom(page->artifacts());
      *all.mutable_usage() = page->usage();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    session.out << (session.json ? ToJsonText(all) : Text(all));
    return ExitCode::kOk;
  }

 private:
  static std::string Text(const v1::ListArtifactsResponse& all) {
    Table table({"SHA256", ">SIZE", "TYPE", ">AGE"});
    for (const v1::Artifact& artifact : all.artifacts()) {
      table.Add({artifact.sha256(), BytesText(artifact.size_bytes()), artifact.media_type(),
                 DurationText(absl::Now() - FromProto(artifact.create_time()))});
    }
    const v1::ArtifactUsage& usage = all.usage();
    return absl::StrCat(
        all.artifacts().empty() ? "" : table.Text(), usage.artifacts(), " artifacts, ",
        BytesText(usage.used_bytes()),
        usage.quota_bytes() == 0 ? "" : absl::StrCat(" of ", BytesText(usage.quota_bytes())), "\n");
  }
};

class ArtifactsDelete final : public Command {
 public:
  std::string name() const override { return "artifacts delete"; }
  std::string summary() const override { return "Give up an artifact, so that it takes no room"; }
  void AddFlags(Flags& flags) override {
    flags.Text("SHA256", &sha256_, "Its hash", Need::kRequired);
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::Status status = session.client().DeleteArtifact(sha256_);
    if (!status.ok()) return status;
    if (!session.json) session.out << "gave up " << sha256_ << "\n";
    return ExitCode::kOk;
  }

 private:
  std::string sha256_;
};

}  // namespace

std::unique_ptr<Command> MakeArtifactsList() { return std::make_unique<ArtifactsList>(); }
std::unique_ptr<Command> MakeArtifactsDelete() { return std::make_unique<ArtifactsDelete>(); }
std::unique_ptr<Command> MakeArtifactsPut() { return std::make_unique<ArtifactsPut>(); }
std::unique_ptr<Command> MakeArtifactsGet() { return std::make_unique<ArtifactsGet>(); }

}  // namespace switchyard::cli
