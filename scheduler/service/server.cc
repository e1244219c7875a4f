#include "scheduler/service/server.h"

#include <atomic>
#include <chrono>
#include <optional>

#include "common/admin/admin_server.h"
#include "common/lifecycle/address_file.h"
#include "common/log/log.h"
#include "common/metrics/metrics_page.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "scheduler/engine/engine.h"
#include "scheduler/service/admin_service.h"
#include "scheduler/service/array_service.h"
#include "scheduler/service/artifact_reference_service.h"
#include "scheduler/service/backend.h"
#include "scheduler/service/config.h"
#include "scheduler/service/engine_output.h"
#include "scheduler/service/fleet_service.h"
#include "scheduler/service/job_inputs.h"
#include "scheduler/service/job_service.h"
#include "scheduler/service/key_config.h"
#include "scheduler/service/listener.h"
#include "scheduler/service/measured_store.h"
#include "scheduler/service/model_service.h"
#include "scheduler/service/pipeline_keeper.h"
#include "scheduler/service/pipeline_service.h"
#include "scheduler/service/schedule_keeper.h"
#include "scheduler/service/schedule_service.h"
#include "scheduler/service/stored_references.h"
#include "scheduler/service/worker_service.h"
#include "scheduler/store/postgres/postgres_store.h"
#include "scheduler/store/sqlite_store.h"

namespace switchyard::scheduler {
namespace {

constexpr int kReaders = 4;
// Streams would go on for ever: they are cut after this, unary calls are done long before.
constexpr std::chrono::milliseconds kDrainTime(1000);
constexpr std::chrono::milliseconds kWorkerDrainTime(100);

class WholeServer final : public Server {
 public:
  WholeServer(config::v1::SchedulerConfig config, const std::string& operator_token, Clock& clock,
              std::unique_ptr<JobStore> store, std::unique_ptr<ArtifactStore> artifacts)
      : config_(std::move(config)),
        clock_(clock),
        store_(std::make_unique<MeasuredStore>(std::move(store), *registry_)),
        artifacts_(std::move(artifacts)),
        metrics_(*registry_),
        principals_(config_, operator_token, clock),
        references_(*store_),
        inputs_(*store_, references_),
        output_(sessions_, events_, results_, metrics_),
        engine_({.core = MakeCoreConfig(config_), .resolver = &inputs_}, *store_, clock, output_) {}

  ~WholeServer() override { Shutdown(); }

  absl::Status Begin() {
    if (absl::Status status = engine_.Start(); !status.ok()) return status;
    readers_.emplace(kReaders);
    thread_.emplace(engine_);
    backend_.emplace(Backend{*store_, *thread_, engine_.live_view(), events_, results_, *readers_,
                             admission_, principals_, references_, *artifacts_, clock_, metrics_,
                             config_.allow_noop()});
    pipelines_.emplace(*backend_);
    schedules_.emplace(*backend_, *pipelines_);
    if (absl::Status status = BeginListening(); !status.ok()) return status;
    if (absl::Status status = BeginAdmin(); !status.ok()) return status;
    return WriteAddressFile(config_.address_file(), addresses());
  }

  void Shutdown() override {
    if (stopping_.exchange(true)) return;
    const auto now = std::chrono::system_clock::now();
    if (client_.server) {
      client_.server->GetHealthCheckService()->SetServingStatus(false);
      client_.server->Shutdown(now + kDrainTime);
    }
    if (worker_.server)
      worker_.server->Shutdown(std::chrono::system_clock::now() + kWorkerDrainTime);
    admin_.reset();
    // They wait for answers of the engine.
    schedules_.reset();
    pipelines_.reset();
    // No call is left. What the engine still answers goes to nobody, reads it posted end before
    // their pool does.
    thread_.reset();
    readers_.reset();
  }

  std::vector<std::pair<std::string, std::string>> addresses() const override {
    std::vector<std::pair<std::string, std::string>> all = {{"client", client_.address},
                                                            {"worker", worker_.address}};
    if (admin_ != nullptr) all.emplace_back("admin", admin_->address());
    return all;
  }

 private:
  absl::Status BeginListening() {
    job_service_.emplace(*backend_);
    fleet_service_.emplace(*backend_);
    admin_service_.emplace(*backend_);
    model_service_.emplace(*backend_);
    reference_service_.emplace(*backend_);
    worker_reference_service_.emplace(*backend_);
    array_service_.emplace(*backend_);
    pipeline_service_.emplace(*backend_, *pipelines_);
    schedule_service_.emplace(*backend_, *schedules_);
    worker_service_.emplace(AttachSession::Ports{*thread_, engine_.live_view(), events_, sessions_,
                                                 *readers_, MakeLeaseTimes(config_)});
    absl::StatusOr<Listener> worker =
        Listen(config_.worker_listen(), {&*worker_service_, &*worker_reference_service_});
    if (!worker.ok()) return worker.status();
    worker_ = std::move(*worker);
    absl::StatusOr<Listener> client =
        Listen(config_.listen(),
               {&*job_service_, &*fleet_service_, &*admin_service_, &*model_service_,
                &*reference_service_, &*array_service_, &*pipeline_service_, &*schedule_service_});
    if (!client.ok()) return client.status();
    client_ = std::move(*client);
    return absl::OkStatus();
  }

  absl::Status BeginAdmin() {
    if (config_.admin_listen().empty()) return absl::OkStatus();
    AdminOptions options;
    options.listen = config_.admin_listen();
    options.metrics = {registry_, MakeEngineMetrics(engine_.live_view(), engine_.stats(), clock_),
                       MakeProcessMetrics("switchyard-scheduler", SWITCHYARD_VERSION)};
    options.ready = [this] {
      if (stopping_) return absl::UnavailableError("shutting down");
      return engine_.live_view().fleet()->epoch != 0
                 ? absl::OkStatus()
                 : absl::UnavailableError("the store is not read yet");
    };
    absl::StatusOr<std::unique_ptr<AdminServer>> admin = AdminServer::Start(std::move(options));
    if (!admin.ok()) return admin.status();
    admin_ = std::move(*admin);
    return absl::OkStatus();
  }

  // In the order they are made; taken down in the opposite one.
  const config::v1::SchedulerConfig config_;
  Clock& clock_;
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  const std::unique_ptr<JobStore> store_;
  const std::unique_ptr<ArtifactStore> artifacts_;
  ServiceMetrics metrics_;
  Principals principals_;
  StoredReferences references_;
  StoredInputs inputs_;
  Admission admission_;
  EventHub events_;
  ResultHub results_;
  AttachRegistry sessions_;
  ServiceOutput output_;
  Engine engine_;
  std::optional<ReaderPool> readers_;
  std::optional<EngineThread> thread_;
  std::optional<Backend> backend_;
  std::optional<PipelineKeeper> pipelines_;
  std::optional<ScheduleKeeper> schedules_;
  std::optional<JobService> job_service_;
  std::optional<ArrayService> array_service_;
  std::optional<PipelineService> pipeline_service_;
  std::optional<ScheduleService> schedule_service_;
  std::optional<FleetService> fleet_service_;
  std::optional<AdminService> admin_service_;
  std::optional<ModelService> model_service_;
  // gRPC binds a service object to one server.
  std::optional<ArtifactReferenceService> reference_service_;
  std::optional<ArtifactReferenceService> worker_reference_service_;
  std::optional<WorkerService> worker_service_;
  Listener client_;
  Listener worker_;
  std::unique_ptr<AdminServer> admin_;
  std::atomic<bool> stopping_{false};
};

absl::StatusOr<std::unique_ptr<JobStore>> OpenStore(const config::v1::SchedulerConfig& config) {
  if (!config.has_postgres()) {
    return OpenSqliteStore({.directory = config.data_dir(), .readers = kReaders});
  }
  PostgresStoreOptions options{.uri = config.postgres().uri(), .readers = kReaders};
  if (!config.postgres().schema().empty()) options.schema = config.postgres().schema();
  return OpenPostgresStore(options);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(config::v1::SchedulerConfig config,
                                                      Clock& clock) {
  if (absl::Status status = CompleteConfig(config); !status.ok()) return status;
  const absl::StatusOr<std::string> operator_token = ReadOperatorToken(config);
  if (!operator_token.ok()) return operator_token.status();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  absl::StatusOr<std::unique_ptr<JobStore>> store = OpenStore(config);
  if (!store.ok()) return store.status();
  absl::StatusOr<std::unique_ptr<ArtifactStore>> artifacts =
      OpenDirectoryStore(config.artifact_dir());
  if (!artifacts.ok()) return artifacts.status();
  auto server = std::make_unique<WholeServer>(std::move(config), *operator_token, clock,
                                              std::move(*store), std::move(*artifacts));
  if (absl::Status status = server->Begin(); !status.ok()) return status;
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace switchyard::scheduler
