#include "worker/tasks/train/position.h"

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/status/error.h"

namespace switchyard::worker {
namespace {

constexpr char kFingerprint[] = "switchyard.fingerprint";
constexpr char kPosition[] = "switchyard.position";
constexpr char kHistory[] = "switchyard.history";

absl::Status Wrong(absl::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "WRONG_CHECKPOINT",
                   absl::StrCat("cannot resume from the checkpoint: ", why,
                                "; submit the job anew to begin from the start"));
}

// Hexadecimal floating point keeps every bit.
std::string Encode(const Tally& tally) {
  return absl::StrFormat("%a %d %d", tally.loss_sum, tally.right, tally.samples);
}

// Takes three fields from the front of `fields`.
bool Decode(absl::Span<const absl::string_view> fields, Tally& tally) {
  if (fields.size() < 3) return false;
  const std::string number(fields[0]);
  char* end = nullptr;
  tally.loss_sum = std::strtod(number.c_str(), &end);
  return end != number.c_str() && *end == '\0' && absl::SimpleAtoi(fields[1], &tally.right) &&
         absl::SimpleAtoi(fields[2], &tally.samples);
}

std::string Find(const std::map<std::string, std::string>& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

bool DecodeHistory(absl::string_view text, std::vector<EpochFigures>& history) {
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    EpochFigures figures;
    if (fields.size() != 6 || !Decode(fields, figures.train) ||
        !Decode(absl::MakeConstSpan(fields).subspan(3), figures.validation)) {
      return false;
    }
    history.push_back(figures);
  }
  return true;
}

}  // namespace

std::map<std::string, std::string> EncodePosition(const Position& position,
                                                  const std::string& fingerprint) {
  std::string history;
  for (const EpochFigures& figures : position.history) {
    absl::StrAppend(&history, Encode(figures.train), " ", Encode(figures.validation), "\n");
  }
  return {{kFingerprint, fingerprint},
          {kPosition, absl::StrCat(position.epoch, " ", position.batch, " ", position.step, " ",
                                   Encode(position.tally))},
          {kHistory, history}};
}

absl::StatusOr<Position> DecodePosition(const std::map<std::string, std::string>& metadata,
                                        const std::string& fingerprint) {
  const std::string text = Find(metadata, kPosition);
  if (text.empty()) return Wrong("it is no checkpoint of a training");
  if (Find(metadata, kFingerprint) != fingerprint) {
    return Wrong("it was made with other settings or other data");
  }
  const std::vector<absl::string_view> fields = absl::StrSplit(text, ' ');
  Position position;
  const bool good = fields.size() == 6 && absl::SimpleAtoi(fields[0], &position.epoch) &&
                    absl::SimpleAtoi(fields[1], &position.batch) &&
                    absl::SimpleAtoi(fields[2], &position.step) &&
                    Decode(absl::MakeConstSpan(fields).subspan(3), position.tally) &&
                    DecodeHistory(Find(metadata, kHistory), position.history) &&
                    position.history.size() == position.epoch;
  if (!good) return Wrong("its position is damaged");
  return position;
}

}  // namespace switchyard::worker
