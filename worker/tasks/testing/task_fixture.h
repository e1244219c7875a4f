// What tests of tasks share: a folder of their own, an artifact store in it, small pictures and
// recordings, archives.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/artifacts/artifact_store.h"
#include "worker/executor/testing/fake_attempt_context.h"

namespace switchyard::worker {

class TaskTest : public ::testing::Test {
 protected:
  TaskTest();
  ~TaskTest() override;

  // Beneath root().
  void WriteFile(const std::string& path, const std::string& bytes) const;
  const std::string& root() const { return root_; }
  ArtifactStore& artifacts() { return *store_; }
  // A context that may read root(), each with a new work folder.
  std::unique_ptr<FakeAttemptContext> MakeContext();
  std::string Put(const std::string& bytes);

 private:
  std::string scratch_;
  std::string root_;
  std::unique_ptr<ArtifactStore> store_;
  int contexts_ = 0;
};

// A size x size grey PNG, brightness by a pattern that `kind` (0 to 2) chooses and `variant`
// varies.
std::string PatternPng(int kind, int variant, int size = 12);

// SigMF metadata for cf32_le samples with one annotation of that label over everything.
std::string SigmfMetadataText(const std::string& label);
// `count` cf32_le samples of a tone, cycles a sample, with a little noise by `variant`.
std::string ToneSamples(double frequency, int count, int variant);

// Entries of a tar.
struct TarEntry {
  std::string path;
  std::string content;
  char type = 'f';  // f file, l symbolic link, h hard link, d folder, c device, p pipe.
  std::string target;
};
std::string MakeTar(const std::vector<TarEntry>& entries, bool zip = false, bool gzip = false);

}  // namespace switchyard::worker
