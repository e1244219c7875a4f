#include "common/config/text_config.h"

#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace switchyard {
namespace {

class FaultCollector final : public google::protobuf::io::ErrorCollector {
 public:
  explicit FaultCollector(absl::string_view name) : name_(name) {}
  void AddError(int line, int column, const std::string& message) override {
    faults.push_back(absl::StrCat(name_, ":", line + 1, ":", column + 1, ": ", message));
  }
  std::vector<std::string> faults;

 private:
  std::string name_;
};

}  // namespace

absl::Status ParseTextConfig(absl::string_view text, absl::string_view name,
                             google::protobuf::Message* config) {
  FaultCollector collector(name);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  if (parser.ParseFromString(std::string(text), config)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(absl::StrJoin(collector.faults, "; "), "; fields of ",
                   config->GetDescriptor()->full_name(), " are expected"));
}

absl::Status LoadTextConfig(const std::string& file, google::protobuf::Message* config) {
  std::ifstream in(file);
  if (!in) return absl::NotFoundError(absl::StrCat("cannot read the config file ", file));
  std::stringstream text;
  text << in.rdbuf();
  return ParseTextConfig(text.str(), file, config);
}

}  // namespace switchyard
