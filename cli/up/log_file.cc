#include "cli/up/log_file.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace switchyard::cli {

LogFile::LogFile(std::string path, int64_t max_bytes)
    : path_(std::move(path)), max_bytes_(max_bytes) {
  Open();
}

void LogFile::Open() {
  out_.open(path_, std::ios::binary | std::ios::app);
  std::error_code error;
  const auto size = std::filesystem::file_size(path_, error);
  size_bytes_ = error ? 0 : static_cast<int64_t>(size);
}

void LogFile::Append(absl::string_view data) {
  if (size_bytes_ > 0 && size_bytes_ + static_cast<int64_t>(data.size()) > max_bytes_) {
    out_.close();
    std::error_code ignored;
    std::filesystem::rename(path_, path_ + ".1", ignored);
    Open();
  }
  out_.write(data.data(), static_cast<std::streamsize>(data.size())).flush();
  out_.clear();  // A full disk costs lines of log, nothing else.
  size_bytes_ += static_cast<int64_t>(data.size());
}

std::string LogFile::Tail(int64_t max_bytes) const {
  std::ifstream in(path_, std::ios::binary);
  const int64_t from = std::max<int64_t>(0, size_bytes_ - max_bytes);
  in.seekg(from);
  std::string text(std::istreambuf_iterator<char>(in), {});
  return from == 0 ? text : text.substr(std::min(text.size(), text.find('\n') + 1));
}

}  // namespace switchyard::cli
