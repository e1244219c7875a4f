// switchyard-score: trains and predicts in this process, without scheduler or worker, and says how
// well it went on held-out data. For choosing defaults and for seeing what a change to the network
// or the pre-processing does.
//
// switchyard-score TRAIN_DIR TEST_DIR ['architecture: "resnet18" epochs: 3'] [--threads N]
// [--min-snr-db X]
//
// The truth of an item is its first folder, or what TEST_DIR/labels.csv (item,label,snr_db) says.
#include <google/protobuf/text_format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/artifacts/artifact_store.h"
#include "worker/executor/testing/fake_attempt_context.h"
#include "worker/tasks/registry.h"

namespace switchyard::worker {
namespace {

namespace wire = ::switchyard::worker::v1;

struct Options {
  std::string train_dir;
  std::string test_dir;
  std::string spec;
  int threads = 2;
};

struct Truth {
  std::string label;
  std::string snr_db;
};

std::map<std::string, Truth> ReadLabels(const std::string& path) {
  std::map<std::string, Truth> truths;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    if (fields.size() == 3) truths[fields[0]] = {fields[1], fields[2]};
  }
  return truths;
}

struct Score {
  int right = 0;
  int count = 0;
  void Add(bool good) {
    right += good;
    ++count;
  }
  std::string Text() const {
    return absl::StrFormat("%6.2f %%  (%d of %d)", 100.0 * right / std::max(1, count), right,
                           count);
  }
};

void PrintScores(const api::PredictResult& result, const std::map<std::string, Truth>& labels) {
  std::map<std::string, Score> by_class;
  std::map<double, Score> by_ratio;
  std::map<std::string, int> confused;
  Score all;
  Score strong;
  for (const api::ItemResult& item : result.items()) {
    const auto found = labels.find(item.item());
    const std::string truth =
        found == labels.end() ? item.item().substr(0, item.item().find('/')) : found->second.label;
    const bool right = item.answers_size() > 0 && item.answers(0).label() == truth;
    all.Add(right);
    if (!right && item.answers_size() > 0) ++confused[truth + " as " + item.answers(0).label()];
    double snr_db = 0;
    const bool has_ratio = found != labels.end() && absl::SimpleAtod(found->second.snr_db, &snr_db);
    if (has_ratio) by_ratio[snr_db].Add(right);
    if (has_ratio && snr_db >= 10) {
      strong.Add(right);
      by_class[truth].Add(right);
    } else if (!has_ratio) {
      by_class[truth].Add(right);
    }
  }
  for (const auto& [name, score] : by_class)
    std::cout << "  " << name << ": " << score.Text() << "\n";
  for (const auto& [ratio, score] : by_ratio)
    std::cout << "  " << ratio << " dB: " << score.Text() << "\n";
  for (const auto& [pair, count] : confused) std::cout << "  " << pair << ": " << count << "\n";
  std::cout << "held-out accuracy: " << all.Text() << "\n";
  if (strong.count > 0) std::cout << "at 10 dB and above: " << strong.Text() << "\n";
}

absl::StatusOr<api::Job> RunAttempt(FakeAttemptContext& context, absl::string_view kind,
                                    const api::Job& job, const wire::Assignment& assignment) {
  const std::unique_ptr<Executor> executor = MakeExecutorFactory()(kind);
  if (executor == nullptr) return absl::UnimplementedError("built without LibTorch");
  const absl::Time start = absl::Now();
  const absl::Status prepared = executor->Prepare(context, job, assignment);
  if (!prepared.ok()) return prepared;
  const absl::Time ready = absl::Now();
  absl::StatusOr<api::Job> result = executor->Run(context);
  std::cout << absl::StrFormat("%s: prepared in %.2f s, ran %.2f s\n", std::string(kind),
                               absl::ToDoubleSeconds(ready - start),
                               absl::ToDoubleSeconds(absl::Now() - ready));
  return result;
}

absl::Status ScoreTasks(const Options& options, const std::string& scratch) {
  absl::StatusOr<std::unique_ptr<ArtifactStore>> store = OpenDirectoryStore(scratch + "/artifacts");
  if (!store.ok()) return store.status();
  const std::vector<std::string> roots = {"/"};
  const DeviceHandle device = {"cpu", "", options.threads};
  const absl::Status ready = MakeBackend()->Prepare(device, {});
  if (!ready.ok()) return ready;

  api::Job train;
  train.mutable_train()->mutable_train()->set_path(options.train_dir);
  train.mutable_train()->set_save_as("scored");
  if (!google::protobuf::TextFormat::MergeFromString(options.spec, train.mutable_train())) {
    return absl::InvalidArgumentError("the spec is no TrainSpec in text format");
  }
  FakeAttemptContext training(**store, scratch, roots);
  training.set_device(device);
  const absl::StatusOr<api::Job> trained = RunAttempt(training, "train", train, {});
  for (const auto& log : training.logs) std::cout << log.text << "\n";
  if (!trained.ok()) return trained.status();

  api::Job predict;
  predict.mutable_predict()->mutable_source()->set_path(options.test_dir);
  predict.mutable_predict()->set_top_k(1);
  wire::Assignment assignment;
  assignment.mutable_model()->set_weights_artifact(trained->train_result().weights_artifact());
  *assignment.mutable_model()->mutable_metadata() = trained->train_result().metadata();
  FakeAttemptContext predicting(**store, scratch, roots);
  predicting.set_device(device);
  absl::StatusOr<api::Job> predicted = RunAttempt(predicting, "predict", predict, assignment);
  if (!predicted.ok()) return predicted.status();
  if (!predicted->predict_result().items_artifact().empty()) {
    return absl::UnimplementedError("too many items for this tool; take fewer");
  }
  PrintScores(predicted->predict_result(), ReadLabels(options.test_dir + "/labels.csv"));
  return absl::OkStatus();
}

}  // namespace
}  // namespace switchyard::worker

int main(int argc, char** argv) {
  CLI::App app("Trains and predicts here, and scores the answers.");
  switchyard::worker::Options options;
  app.add_option("train", options.train_dir, "folder to learn from")->required();
  app.add_option("test", options.test_dir, "folder held out")->required();
  app.add_option("spec", options.spec, "more of TrainSpec, in text format");
  app.add_option("--threads", options.threads, "threads to compute with");
  CLI11_PARSE(app, argc, argv);
  std::string scratch =
      (std::filesystem::temp_directory_path() / "switchyard-score-XXXXXX").string();
  if (mkdtemp(scratch.data()) == nullptr) return 1;
  const absl::Status status = switchyard::worker::ScoreTasks(options, scratch);
  std::filesystem::remove_all(scratch);
  if (status.ok()) return 0;
  std::cerr << "switchyard-score: " << status << "\n";
  return 1;
}
