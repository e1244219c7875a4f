// The pieces the demo is told with: train a model and show how it goes, and count how often a model
// is right.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/command.h"

namespace switchyard::cli {

// Submits a train job, shows how it goes, and gives the ended job. An error when it did not
// succeed.
absl::StatusOr<v1::Job> Train(Session& session, const v1::TrainSpec& spec);

// A small train specification; everything else stays at its default.
v1::TrainSpec TrainSpecOf(const std::string& folder, v1::Source::Format format,
                          const std::string& save_as, uint32_t epochs);

struct Score {
  int right = 0;
  int total = 0;
  double accuracy() const { return total == 0 ? 0 : static_cast<double>(right) / total; }
};

// Predicts every item of `folder` in one job. `truth` gives an item's class, or "" to leave it out.
// An item that could not be predicted counts as wrong.
absl::StatusOr<Score> Evaluate(Client& client, const std::string& model, const std::string& folder,
                               const std::function<std::string(const std::string& item)>& truth);

// One file's answers, asked for as JSON over HTTP (`http` is HOST:PORT).
absl::StatusOr<v1::Job> PredictOverHttp(const std::string& http, const std::string& model,
                                        const std::string& file);
// The same over gRPC.
absl::StatusOr<v1::Job> PredictOverGrpc(Client& client, const std::string& model,
                                        const std::string& file);

// "7 99.8 %, 1 0.1 %, ...": the first item's answers.
std::string AnswersText(const v1::Job& job);

}  // namespace switchyard::cli
