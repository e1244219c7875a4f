// A log that cannot fill the disk: FILE and the one before it, FILE.1. Not thread-safe.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include "absl/strings/string_view.h"

namespace switchyard::cli {

class LogFile {
 public:
  // Appends to what is there. At `max_bytes` FILE becomes FILE.1, so both together hold at most
  // twice that.
  LogFile(std::string path, int64_t max_bytes);
  void Append(absl::string_view data);
  const std::string& path() const { return path_; }
  // The last lines, at most `max_bytes` of them.
  std::string Tail(int64_t max_bytes) const;

 private:
  void Open();

  const std::string path_;
  const int64_t max_bytes_;
  std::ofstream out_;
  int64_t size_bytes_ = 0;
};

}  // namespace switchyard::cli
