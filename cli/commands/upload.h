// What the command line sends from this machine: files as they are, folders packed.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "switchyard/v1/source.pb.h"

namespace switchyard::cli {

// Stores a file or a packed folder as an artifact; shows a bar on a terminal.
absl::StatusOr<v1::Artifact> Upload(Session& session, const std::string& path,
                                    const std::string& media_type);

// How a source is meant: `text` is a file or folder here, which is uploaded; with `by_path` a path
// on the worker's host, sent as it is (made absolute); or the SHA-256 of an artifact.
absl::StatusOr<v1::Source> MakeSource(Session& session, const std::string& text, bool by_path,
                                      v1::Source::Format format);

// "", "image_folder", "sigmf".
absl::StatusOr<v1::Source::Format> ParseFormat(const std::string& text);

}  // namespace switchyard::cli
