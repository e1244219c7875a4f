// `switchyard demo`: the main job, for real, in a few minutes on a laptop.

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "cli/commands/commands.h"
#include "cli/demo/lessons.h"
#include "cli/demo/up_process.h"
#include "cli/format/job_text.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

namespace fs = std::filesystem;

// The first folder of an item's path: its class, in an image folder.
std::string FolderOf(const std::string& item) {
  const size_t slash = item.find('/');
  return slash == std::string::npos ? "" : item.substr(0, slash);
}

// Recordings by their path: what FOLDER/labels.csv (item,label,snr_db) says, of those at or above
// `least_db`.
std::map<std::string, std::string> ClassesAtOrAbove(const std::string& folder, double least_db) {
  std::map<std::string, std::string> classes;
  std::ifstream file(folder + "/labels.csv");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    double snr_db = 0;
    if (fields.size() == 3 && absl::SimpleAtod(fields[2], &snr_db) && snr_db >= least_db)
      classes[fields[0]] = fields[1];
  }
  return classes;
}

class Demo final : public Command {
 public:
  std::string name() const override { return "demo"; }
  std::string summary() const override {
    return "Train, watch and predict for real, on data it makes or carries";
  }
  void AddFlags(Flags& flags) override {
    flags.Switch("--exit", &exit_, "Stop when done; otherwise it goes on running");
    flags.Text("--digits", &digits_,
               "The UCI optical digits as CSV (default tests/data/digits.csv.gz)");
    flags.Text("--folder", &folder_,
               "Where the installation and the data go (default: a new temporary folder)");
    flags.Text("--http", &http_, "Address of the HTTP door (default 127.0.0.1:8080)");
    flags.Text("--grpc", &grpc_, "Address of the gRPC door (default 127.0.0.1:7070)");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override;

 private:
  absl::Status MakeFolder();
  absl::Status MakeData(const Session& session);
  absl::Status Tell(Session& session);
  absl::StatusOr<double> TrainAndEvaluate(
      Session& session, const v1::TrainSpec& spec, const std::string& test_folder,
      const std::function<std::string(const std::string&)>& truth);
  absl::Status ShowPredictions(Session& session);
  std::string Data(const std::string& name) const { return folder_ + "/datasets/" + name; }

  bool exit_ = false;
  bool own_folder_ = false;
  std::string digits_ = "tests/data/digits.csv.gz", folder_, http_ = "127.0.0.1:8080",
              grpc_ = "127.0.0.1:7070";
};

absl::Status RunProgram(const std::string& command) {
  const int status = std::system(command.c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("this failed: ", command));
}

absl::Status Demo::MakeFolder() {
  if (folder_.empty()) {
    char pattern[] = "/tmp/switchyard-demo-XXXXXX";
    if (mkdtemp(pattern) == nullptr) return absl::InternalError("cannot make a folder under /tmp");
    folder_ = pattern;
    own_folder_ = true;
  }
  std::error_code error;
  fs::create_directories(folder_ + "/datasets", error);
  if (error)
    return absl::InvalidArgumentError(absl::StrCat("cannot make ", folder_, ": ", error.message()));
  folder_ = fs::canonical(folder_).string();
  return absl::OkStatus();
}

absl::Status Demo::MakeData(const Session& session) {
  const std::string datagen = session.program + "/switchyard-datagen";
  absl::Status made = RunProgram(absl::StrFormat("'%s' digits '%s' '%s' '%s' >&2", datagen, digits_,
                                                 Data("digits/train"), Data("digits/test")));
  if (!made.ok()) return made;
  made = RunProgram(
      absl::StrFormat("'%s' rf '%s' --seed 1 --per-class 150 >&2", datagen, Data("rf/train")));
  if (!made.ok()) return made;
  return RunProgram(absl::StrFormat("'%s' rf '%s' --seed 3 >&2", datagen, Data("rf/test")));
}

absl::StatusOr<double> Demo::TrainAndEvaluate(
    Session& session, const v1::TrainSpec& spec, const std::string& test_folder,
    const std::function<std::string(const std::string&)>& truth) {
  const absl::StatusOr<v1::Job> trained = Train(session, spec);
  if (!trained.ok()) return trained.status();
  const v1::TrainResult& result = trained->train_result();
  session.out << absl::StrFormat(
      "  job %s: model %s version %d from %d samples in %s on %s\n", trained->id(), result.model(),
      result.version(), result.train_samples(), DurationText(FromProto(trained->timings().run())),
      trained->attempts_size() > 0 ? trained->attempts().rbegin()->device_name() : "?");
  const absl::StatusOr<Score> score =
      Evaluate(session.client(), spec.save_as(), test_folder, truth);
  if (!score.ok()) return score.status();
  session.out << absl::StrFormat("  %d of %d held-out items right\n", score->right, score->total)
              << std::flush;
  return score->accuracy();
}

absl::Status Demo::ShowPredictions(Session& session) {
  const std::string file = Data("digits/test") + "/7";
  const std::string image = fs::directory_iterator(file)->path().string();
  const absl::StatusOr<v1::Job> http = PredictOverHttp(http_, "digits", image);
  if (!http.ok()) return http.status();
  session.out << "predict over HTTP, a seven: " << AnswersText(*http) << "\n";
  const absl::StatusOr<v1::Job> grpc = PredictOverGrpc(session.client(), "digits", image);
  if (!grpc.ok()) return grpc.status();
  session.out << "predict over gRPC, the same: " << AnswersText(*grpc) << "\n";
  return absl::OkStatus();
}

absl::Status Demo::Tell(Session& session) {
  session.out << "\n1. Handwritten digits (UCI): small_cnn on 8x8 scans\n";
  const absl::StatusOr<double> digits = TrainAndEvaluate(
      session, TrainSpecOf(Data("digits/train"), v1::Source::IMAGE_FOLDER, "digits", 15),
      Data("digits/test"), FolderOf);
  if (!digits.ok()) return digits.status();

  const std::map<std::string, std::string> classes = ClassesAtOrAbove(Data("rf/test"), 10);
  const auto at_10_db = [&](const std::string& item) {
    const auto found = classes.find(item);
    return found == classes.end() ? "" : found->second;
  };
  session.out
      << "\n2. Radio spectrograms: modulations and hopping links from IQ recordings (SigMF)\n";
  v1::TrainSpec rf_spec = TrainSpecOf(Data("rf/train"), v1::Source::SIGMF, "rf", 12);
  // Beside the power of the signal, that of its square and fourth power: what tells BPSK, QPSK and
  // 16QAM apart.
  rf_spec.set_channels(3);
  rf_spec.set_image_size(64);
  rf_spec.set_learning_rate(0.003);
  const absl::StatusOr<double> rf = TrainAndEvaluate(session, rf_spec, Data("rf/test"), at_10_db);
  if (!rf.ok()) return rf.status();

  session.out << "\n3. The same on shuffled labels: a control that must stay at chance\n";
  rf_spec.set_save_as("rf-control");
  rf_spec.set_shuffle_labels(true);
  const absl::StatusOr<double> control =
      TrainAndEvaluate(session, rf_spec, Data("rf/test"), at_10_db);
  if (!control.ok()) return control.status();

  session.out << "\n4. Predictions\n";
  const absl::Status shown = ShowPredictions(session);
  if (!shown.ok()) return shown;
  session.out << "\ndigits held-out accuracy: " << PercentText(*digits)
              << "\nrf held-out accuracy at 10 dB and above: " << PercentText(*rf)
              << "\nrf control (shuffled labels): " << PercentText(*control) << "\n";
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Demo::Run(Session& session) {
  absl::Status status = MakeFolder();
  if (!status.ok()) return status;
  session.out << "making data under " << folder_ << "/datasets\n" << std::flush;
  status = MakeData(session);
  if (!status.ok()) return status;
  auto installation = UpProcess::Start(
      session.program,
      {"--data", folder_ + "/data", "--http", http_, "--grpc", grpc_, "--data-root", Data("")});
  if (!installation.ok()) return installation.status();
  const auto doors =
      (*installation)->WaitReady(folder_ + "/data/run/gateway.addresses", absl::Seconds(60));
  if (!doors.ok()) return doors.status();
  http_ = doors->http;
  grpc_ = doors->grpc;
  session.server = grpc_;
  session.token.clear();
  status = Tell(session);
  if (!status.ok()) return status;
  session.out << "\nHTTP: http://" << http_ << "   gRPC: " << grpc_ << "   everything is in "
              << folder_ << "\n"
              << std::flush;
  if (!exit_) {
    session.out << "It goes on running; Ctrl-C ends it.\n" << std::flush;
    // Ctrl-C reaches `up` too, which drains; we stay until it has.
    signal(SIGINT, SIG_IGN);
    (*installation)->Wait();
  }
  installation->reset();
  std::error_code ignored;
  if (own_folder_ && exit_) fs::remove_all(folder_, ignored);
  return ExitCode::kOk;
}

}  // namespace

std::unique_ptr<Command> MakeDemo() { return std::make_unique<Demo>(); }

}  // namespace switchyard::cli
