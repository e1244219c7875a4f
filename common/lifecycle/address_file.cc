#include "common/lifecycle/address_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace switchyard {

absl::Status WriteAddressFile(const std::string& file,
                              const std::vector<std::pair<std::string, std::string>>& addresses) {
  if (file.empty()) return absl::OkStatus();
  const std::string temporary = absl::StrCat(file, ".tmp.", getpid());
  std::ofstream out(temporary, std::ios::trunc);
  for (const auto& [name, address] : addresses) out << name << '=' << address << '\n';
  out.close();
  if (!out) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot write the address file ", temporary, ": ", std::strerror(errno)));
  }
  if (std::rename(temporary.c_str(), file.c_str()) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot rename ", temporary, " to ", file, ": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, std::string>> ReadAddressFile(const std::string& file) {
  std::ifstream in(file);
  if (!in) return absl::NotFoundError(absl::StrCat("there is no address file ", file));
  std::map<std::string, std::string> addresses;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, " line ", number, ": name=HOST:PORT is expected, not \"", line, "\""));
    }
    addresses[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return addresses;
}

}  // namespace switchyard
