#include "cli/demo/lessons.h"

#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/commands/follow.h"
#include "cli/format/job_text.h"
#include "cli/format/units.h"
#include "common/http/client.h"
#include "google/protobuf/util/json_util.h"

namespace switchyard::cli {
namespace {

absl::StatusOr<v1::Job> Submit(Client& client, const v1::Job& job) {
  v1::CreateJobRequest request;
  *request.mutable_job() = job;
  request.set_request_id(NewRequestId());
  return client.CreateJob(request);
}

absl::StatusOr<v1::Job> Succeeded(absl::StatusOr<v1::Job> job) {
  if (!job.ok()) return job;
  if (job->state() == v1::Job::SUCCEEDED) return job;
  return absl::AbortedError(absl::StrCat("job ", job->id(), ": ", EndText(*job)));
}

absl::StatusOr<v1::Job> Ended(Client& client, const std::string& id) {
  while (true) {
    absl::StatusOr<v1::Job> job = client.WaitJob(id, absl::Seconds(20));
    if (!job.ok() || IsEnded(job->state())) return Succeeded(std::move(job));
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::stringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

// The items of an ended predict job, wherever they are.
absl::StatusOr<std::vector<v1::ItemResult>> ItemsOf(Client& client,
                                                    const v1::PredictResult& result) {
  if (result.items_artifact().empty()) {
    return std::vector<v1::ItemResult>(result.items().begin(), result.items().end());
  }
  std::string lines;
  const absl::Status got =
      client.GetArtifact(result.items_artifact(), [&](const v1::GetArtifactResponse& piece) {
        lines += piece.data();
        return absl::OkStatus();
      });
  if (!got.ok()) return got;
  std::vector<v1::ItemResult> items;
  for (absl::string_view line : absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    if (!google::protobuf::util::JsonStringToMessage(std::string(line), &items.emplace_back())
             .ok()) {
      return absl::DataLossError(
          absl::StrCat("artifact ", result.items_artifact(), " has a line that is no item"));
    }
  }
  return items;
}

v1::Job PredictJob(const std::string& model) {
  v1::Job job;
  job.mutable_predict()->set_model(model);
  job.mutable_predict()->set_top_k(3);
  return job;
}

}  // namespace

v1::TrainSpec TrainSpecOf(const std::string& folder, v1::Source::Format format,
                          const std::string& save_as, uint32_t epochs) {
  v1::TrainSpec spec;
  spec.mutable_train()->set_path(folder);
  spec.mutable_train()->set_format(format);
  spec.set_architecture("small_cnn");
  spec.set_save_as(save_as);
  spec.set_epochs(epochs);
  return spec;
}

absl::StatusOr<v1::Job> Train(Session& session, const v1::TrainSpec& spec) {
  v1::Job job;
  *job.mutable_train() = spec;
  const absl::StatusOr<v1::Job> accepted = Submit(session.client(), job);
  if (!accepted.ok()) return accepted;
  return Succeeded(FollowJob(session, accepted->id(), {.logs = false, .bar = true}));
}

absl::StatusOr<Score> Evaluate(Client& client, const std::string& model, const std::string& folder,
                               const std::function<std::string(const std::string& item)>& truth) {
  v1::Job job = PredictJob(model);
  job.mutable_predict()->set_top_k(1);
  job.mutable_predict()->mutable_source()->set_path(folder);
  const absl::StatusOr<v1::Job> accepted = Submit(client, job);
  if (!accepted.ok()) return accepted.status();
  const absl::StatusOr<v1::Job> ended = Ended(client, accepted->id());
  if (!ended.ok()) return ended.status();
  const auto items = ItemsOf(client, ended->predict_result());
  if (!items.ok()) return items.status();
  Score score;
  for (const v1::ItemResult& item : *items) {
    const std::string expected = truth(item.item());
    if (expected.empty()) continue;
    ++score.total;
    if (item.answers_size() > 0 && item.answers(0).label() == expected) ++score.right;
  }
  return score;
}

absl::StatusOr<v1::Job> PredictOverHttp(const std::string& http, const std::string& model,
                                        const std::string& file) {
  const absl::StatusOr<std::string> bytes = ReadFile(file);
  if (!bytes.ok()) return bytes.status();
  const auto post = [&](const std::string& target,
                        const std::string& body) -> absl::StatusOr<v1::Job> {
    const absl::StatusOr<HttpReply> reply =
        HttpCall({.address = http, .method = "POST", .target = target, .body = body});
    if (!reply.ok()) return reply.status();
    v1::Job job;
    if (reply->status / 100 != 2 ||
        !google::protobuf::util::JsonStringToMessage(reply->body, &job).ok()) {
      return absl::InternalError(
          absl::StrCat("POST ", target, " answered ", reply->status, ": ", reply->body));
    }
    return job;
  };
  const absl::StatusOr<v1::Job> accepted =
      post("/api/v1/jobs",
           absl::StrCat(R"({"priority": 3, "predict": {"model": ")", model,
                        R"(", "topK": 3, "data": ")", absl::Base64Escape(*bytes), R"("}})"));
  if (!accepted.ok()) return accepted;
  return Succeeded(
      post(absl::StrCat("/api/v1/jobs/", accepted->id(), ":wait"), R"({"timeout": "30s"})"));
}

absl::StatusOr<v1::Job> PredictOverGrpc(Client& client, const std::string& model,
                                        const std::string& file) {
  absl::StatusOr<std::string> bytes = ReadFile(file);
  if (!bytes.ok()) return bytes.status();
  v1::Job job = PredictJob(model);
  job.mutable_predict()->set_data(*std::move(bytes));
  const absl::StatusOr<v1::Job> accepted = Submit(client, job);
  if (!accepted.ok()) return accepted;
  return Ended(client, accepted->id());
}

std::string AnswersText(const v1::Job& job) {
  std::string text;
  if (job.predict_result().items_size() == 0) return "no answer";
  for (const v1::Answer& answer : job.predict_result().items(0).answers()) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", answer.label(), " ",
                    PercentText(answer.probability()));
  }
  return text;
}

}  // namespace switchyard::cli
