// A command's arguments: a narrow view of CLI11, which takes seconds to compile wherever it is
// included.
//
// Not thread-safe. The pointees must outlive the parse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace switchyard::cli {

enum class Need { kOptional, kRequired };

// `name` is CLI11's: "--model", "-m,--model" for options, "FILE" for arguments by position.
class Flags {
 public:
  virtual ~Flags() = default;
  virtual void Text(const std::string& name, std::string* value, const std::string& help,
                    Need need = Need::kOptional) = 0;
  // May be repeated.
  virtual void List(const std::string& name, std::vector<std::string>* values,
                    const std::string& help, Need need = Need::kOptional) = 0;
  virtual void Number(const std::string& name, std::optional<uint64_t>* value,
                      const std::string& help) = 0;
  virtual void Real(const std::string& name, std::optional<double>* value,
                    const std::string& help) = 0;
  // Everything that stands after the command's name, unread: for commands that pass it on. With it,
  // no other flags.
  virtual void Rest(std::vector<std::string>* values) = 0;
  virtual void Switch(const std::string& name, bool* value, const std::string& help) = 0;
};

}  // namespace switchyard::cli
