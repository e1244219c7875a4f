// Looks at what should be there, one line each, and says what to do about what is not.
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

struct Finding {
  bool ok;
  std::string what;
  std::string next_step;  // Only where not ok.
};

class Doctor final : public Command {
 public:
  std::string name() const override { return "doctor"; }
  std::string summary() const override { return "Look at what is reachable and say what to do"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    bool all_well = true;
    const auto tell = [&](const Finding& finding) {
      all_well &= finding.ok;
      session.out << (finding.ok ? "ok    " : "FAIL  ") << finding.what << "\n";
      if (!finding.ok) session.out << "      " << finding.next_step << "\n";
      session.out << std::flush;
      return finding.ok;
    };
    for (const char* name :
         {"switchyard-scheduler", "switchyard-gateway", "switchyard-worker", "switchyard-runner"}) {
      tell(LookAtProgram(session, name));
    }
    tell(LookAtData(session));
    if (tell(LookAtServer(session))) {
      tell(LookAtSchedulers(session));
      tell(LookAtWorkers(session));
      tell(LookAtArtifacts(session));
    }
    return all_well ? ExitCode::kOk : ExitCode::kRefused;
  }

 private:
  static Finding LookAtProgram(const Session& session, const std::string& name) {
    const std::string path = absl::StrCat(session.program, "/", name);
    return {access(path.c_str(), X_OK) == 0, path,
            "is not there; `./run build` makes it, beside this program"};
  }

  static Finding LookAtData(const Session& session) {
    if (!std::filesystem::exists(session.data)) {
      return {
          true,
          absl::StrCat("data folder ", session.data, " is not there yet; `switchyard up` makes it"),
          ""};
    }
    std::error_code error;
    const auto space = std::filesystem::space(session.data, error);
    const std::string what =
        absl::StrCat("data folder ", session.data, ": ",
                     BytesText(static_cast<int64_t>(space.available)), " free on its disk");
    return {!error && space.available > (1u << 30), what,
            "free space there, or name another folder by --data"};
  }

  static Finding LookAtServer(Session& session) {
    const absl::StatusOr<v1::Queue> queue = session.client().GetQueue();
    if (!queue.ok()) {
      return {false, absl::StrCat("server ", session.server, ": ", queue.status().message()),
              "start one by `switchyard up`, or name it by --server HOST:PORT (the gateway's gRPC "
              "door)"};
    }
    return {true,
            absl::StrCat("server ", session.server, ": ", queue->queued(), " queued, ",
                         queue->running(), " running, leader epoch ", queue->epoch()),
            ""};
  }

  static Finding LookAtSchedulers(Session& session) {
    const absl::StatusOr<v1::ListSchedulersResponse> all = session.client().ListSchedulers();
    if (!all.ok()) {
      return {false, absl::StrCat("schedulers: ", all.status().message()),
              "see the schedulers' logs"};
    }
    std::string leader = "none";
    int standbys = 0;
    for (const v1::Scheduler& scheduler : all->schedulers()) {
      if (scheduler.role() == v1::Scheduler::LEADER) leader = scheduler.name();
      standbys += scheduler.role() == v1::Scheduler::STANDBY;
    }
    return {true, absl::StrCat("scheduler ", leader, " leads, ", standbys, " stand by"), ""};
  }

  static Finding LookAtWorkers(Session& session) {
    const absl::StatusOr<v1::ListWorkersResponse> workers = session.client().ListWorkers();
    if (!workers.ok())
      return {false, absl::StrCat("workers: ", workers.status().message()),
              "see the scheduler's log"};
    int attached = 0;
    for (const v1::Worker& worker : workers->workers())
      attached += worker.state() == v1::Worker::ATTACHED;
    return {attached > 0,
            absl::StrCat(attached, " of ", workers->workers_size(), " workers attached"),
            "jobs wait until one is: see the worker's log, and that its `scheduler` is the worker "
            "listener"};
  }

  // An artifact that cannot exist: NOT_FOUND proves the way to the store.
  static Finding LookAtArtifacts(Session& session) {
    const absl::Status status = session.client().GetArtifact(
        std::string(64, '0'), [](const v1::GetArtifactResponse&) { return absl::OkStatus(); });
    return {absl::IsNotFound(status), "artifact service",
            absl::StrCat(status.message(), "; see the gateway's log and its artifact_dir")};
  }
};

}  // namespace

std::unique_ptr<Command> MakeDoctor() { return std::make_unique<Doctor>(); }

}  // namespace switchyard::cli
