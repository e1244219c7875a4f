// Packs files into a tar that goes straight into the artifact store.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/artifacts/artifact_store.h"

struct archive;

namespace switchyard::worker {

// Not thread-safe. The same files give the same bytes: no times, owners or modes go in.
class TarWriter {
 public:
  // `out` outlives this.
  explicit TarWriter(ArtifactWriter& out);
  ~TarWriter();
  // Exactly `size_bytes` of `fd`; UNAVAILABLE when it has become shorter. CANCELLED as `cancelled`
  // says, which is asked between blocks.
  absl::Status Add(const std::string& path, int fd, uint64_t size_bytes,
                   const std::function<bool()>& cancelled);
  // After the last.
  absl::Status Finish();

 private:
  absl::Status Error(absl::string_view what) const;

  struct Sink;
  const std::unique_ptr<Sink> sink_;
  struct archive* archive_;
};

}  // namespace switchyard::worker
