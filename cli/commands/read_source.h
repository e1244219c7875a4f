// An argument that is JSON itself, a file that holds it, or `-` for standard input.
#pragma once

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace switchyard::cli {

// NOT_FOUND naming the file.
inline absl::StatusOr<std::string> ReadSource(const std::string& source) {
  if (source == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  const size_t first = source.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && source[first] == '{') return source;
  std::ifstream in(source);
  if (!in) return absl::NotFoundError(absl::StrCat("there is no file ", source));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace switchyard::cli
