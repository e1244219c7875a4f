// Runs everything on one machine, and keeps it running.
#include <filesystem>
#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/json.h"
#include "cli/format/units.h"
#include "cli/up/describe.h"
#include "cli/up/installation.h"
#include "cli/up/supervisor.h"
#include "common/http/client.h"
#include "common/lifecycle/address_file.h"
#include "common/lifecycle/directory_lock.h"
#include "common/lifecycle/shutdown_signal.h"

namespace switchyard::cli {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(60);
constexpr absl::Duration kLookInterval = absl::Milliseconds(5);

// Workers that the scheduler behind this gateway sees attached.
std::vector<std::string> AttachedWorkers(const Installation& installation) {
  HttpRequest request;
  request.address = installation.http();
  request.headers["Authorization"] = absl::StrCat("Bearer ", installation.token());
  request.target = "/api/v1/workers";
  request.timeout = absl::Seconds(2);
  const absl::StatusOr<HttpReply> reply = HttpCall(request);
  v1::ListWorkersResponse workers;
  std::vector<std::string> attached;
  if (!reply.ok() || reply->status != 200 || !FromJson(reply->body, "workers", &workers).ok())
    return attached;
  for (const v1::Worker& worker : workers.workers()) {
    if (worker.state() == v1::Worker::ATTACHED) attached.push_back(worker.id());
  }
  return attached;
}

// One start of everything: what is waited for, and how long each took.
class Starter {
 public:
  Starter(Session& session, const Installation& installation, Supervisor& supervisor,
          const std::string& program)
      : session_(session),
        installation_(installation),
        supervisor_(supervisor),
        devices_(program) {}

  absl::Status Start() {
    if (absl::Status status = StartScheduler(); !status.ok()) return status;
    if (absl::Status status = StartOthers(); !status.ok()) return status;
    PrintDevices();
    return absl::OkStatus();
  }

  std::string TimesText() const {
    return absl::StrCat(DurationText(absl::Now() - begin_), ": ",
                        absl::StrJoin(times_, ", ", [](std::string* out, const auto& time) {
                          absl::StrAppend(out, time.first, " ", DurationText(time.second));
                        }));
  }

 private:
  absl::Status Wait(const std::function<bool()>& done) {
    return supervisor_.RunUntil(
        [&] {
          if (!described_ && devices_.Done()) PrintDevices();
          return done();
        },
        kStartTimeout, kLookInterval, /*restart=*/false);
  }

  void PrintDevices() {
    if (described_) return;
    if (!devices_.Done()) Wait([&] { return described_; }).IgnoreError();
    if (described_) return;
    described_ = true;
    if (!session_.json) session_.out << devices_.Text() << std::flush;
  }

  absl::Status StartScheduler() {
    const absl::Time start = absl::Now();
    if (absl::Status status = supervisor_.Start(installation_.scheduler()); !status.ok())
      return status;
    const absl::Status ready =
        Wait([&] { return std::filesystem::exists(installation_.scheduler_addresses()); });
    times_.emplace_back("scheduler", absl::Now() - start);
    return ready;
  }

  absl::Status StartOthers() {
    const absl::Time start = absl::Now();
    if (absl::Status status = supervisor_.Start(installation_.gateway()); !status.ok())
      return status;
    for (Service& worker : installation_.workers()) {
      if (absl::Status status = supervisor_.Start(std::move(worker)); !status.ok()) return status;
    }
    absl::Status ready =
        Wait([&] { return std::filesystem::exists(installation_.gateway_addresses()); });
    if (!ready.ok()) return ready;
    times_.emplace_back("gateway", absl::Now() - start);
    size_t attached = 0;
    ready = Wait([&] {
      return (attached = AttachedWorkers(installation_).size()) >=
             installation_.worker_plans().size();
    });
    times_.emplace_back(absl::StrCat(attached, " worker", attached == 1 ? "" : "s"),
                        absl::Now() - start);
    return ready;
  }

  Session& session_;
  const Installation& installation_;
  Supervisor& supervisor_;
  DescribeDevices devices_;
  bool described_ = false;
  const absl::Time begin_ = absl::Now();
  std::vector<std::pair<std::string, absl::Duration>> times_;
};

class Up final : public Command {
 public:
  std::string name() const override { return "up"; }
  std::string summary() const override { return "Run everything on this machine"; }
  void AddFlags(Flags& flags) override {
    flags.Text("--http", &options_.http, "HTTP door (default 127.0.0.1:8080; port 0: a free one)");
    flags.Text("--grpc", &options_.grpc, "gRPC door (default 127.0.0.1:7070; port 0: a free one)");
    flags.List("--workers", &workers_,
               "cpu:N or cuda:N, by commas (default: cpu:1 and one for each GPU)");
    flags.List("--data-root", &options_.data_roots,
               "Folder that jobs may name paths in; may be repeated");
    flags.Switch("--allow-noop", &options_.allow_noop,
                 "Accept noop jobs, for benchmarks and tests");
    flags.List("--allow-command", &options_.commands,
               "NAME=PATH: a program that jobs of kind command may run; may be repeated");
    flags.List("--allow-command-read", &options_.command_reads,
               "File or folder that those programs may read; may be repeated");
    flags.List("--allow-command-env", &options_.command_variables,
               "Variable that jobs may set for them; may be repeated");
    flags.Switch("--allow-command-network", &options_.command_network,
                 "Jobs that ask for the network get it");
    flags.Text("--scheduler-config", &options_.scheduler_config,
               "More of the scheduler's config, as keys and tenants (default: "
               "DIR/scheduler.textproto when it is there)");
    flags.Text("--exit-on", &exit_on_, "`ready`: stop again once everything runs");
  }

  absl::StatusOr<ExitCode> Run(Session& session) override {
    if (!exit_on_.empty() && exit_on_ != "ready") {
      return absl::InvalidArgumentError(
          absl::StrCat("--exit-on: \"", exit_on_, "\" is unknown: ready"));
    }
    options_.data = std::filesystem::absolute(session.data).lexically_normal().string();
    if (options_.data.size() > 1 && options_.data.back() == '/') options_.data.pop_back();
    options_.program = session.program;
    for (const std::string& text : workers_) {
      for (absl::string_view worker : absl::StrSplit(text, ','))
        options_.workers.emplace_back(worker);
    }
    ShutdownSignal signal;
    const absl::StatusOr<std::unique_ptr<DirectoryLock>> lock =
        DirectoryLock::Acquire(options_.data);
    if (!lock.ok()) return lock.status();
    const absl::StatusOr<Installation> installation = Installation::Prepare(options_);
    if (!installation.ok()) return installation.status();
    return Serve(session, *installation, signal);
  }

 private:
  absl::StatusOr<ExitCode> Serve(Session& session, const Installation& installation,
                                 ShutdownSignal& signal) {
    Supervisor supervisor(signal.fd(), [&](const std::string& notice) {
      (session.json ? std::cerr : session.out) << notice << std::endl;
    });
    Starter starter(session, installation, supervisor, options_.program);
    absl::Status status = starter.Start();
    if (status.ok()) {
      PrintReady(session, installation, starter);
      status = supervisor.RunUntil([&] { return exit_on_ == "ready"; }, absl::InfiniteDuration(),
                                   absl::InfiniteDuration(), /*restart=*/true);
    }
    // From here on a second Ctrl-C ends this process at once, and its children with it.
    if (absl::IsCancelled(status)) signal.Wait();
    if (!session.json) session.out << "stopping" << std::endl;
    supervisor.Stop();
    if (!status.ok() && !absl::IsCancelled(status)) return status;
    if (!session.json) session.out << "stopped" << std::endl;
    return ExitCode::kOk;
  }

  void PrintReady(Session& session, const Installation& installation,
                  const Starter& starter) const {
    if (session.json) {
      session.out << "{\"http\":\"" << installation.http() << "\",\"grpc\":\""
                  << installation.grpc() << "\"}" << std::endl;
      return;
    }
    session.out << "up after " << starter.TimesText() << "\n"
                << "  HTTP  http://" << installation.http() << "\n"
                << "  gRPC  " << installation.grpc() << "\n"
                << "  data  " << options_.data << " (logs in " << options_.data << "/log)\n"
                << "Ctrl-C drains and stops." << std::endl;
  }

  UpOptions options_;
  std::vector<std::string> workers_;
  std::string exit_on_;
};

}  // namespace

std::unique_ptr<Command> MakeUp() { return std::make_unique<Up>(); }

}  // namespace switchyard::cli
