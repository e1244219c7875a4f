#include "scheduler/service/server.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "common/admin/admin_server.h"
#include "common/artifacts/open_store.h"
#include "common/lifecycle/address_file.h"
#include "common/lifecycle/directory_lock.h"
#include "common/log/log.h"
#include "common/metrics/metrics_page.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "scheduler/engine/engine.h"
#include "scheduler/lead/leader_keeper.h"
#include "scheduler/lead/leader_thread.h"
#include "scheduler/lead/led_store.h"
#include "scheduler/lead/scheduler_identity.h"
#include "scheduler/lead/sole_leader.h"
#include "scheduler/service/admin_service.h"
#include "scheduler/service/array_service.h"
#include "scheduler/service/artifact_catalog_service.h"
#include "scheduler/service/artifact_quota.h"
#include "scheduler/service/artifact_reference_service.h"
#include "scheduler/service/artifact_sweeper.h"
#include "scheduler/service/backend.h"
#include "scheduler/service/config.h"
#include "scheduler/service/engine_output.h"
#include "scheduler/service/fleet_service.h"
#include "scheduler/service/job_inputs.h"
#include "scheduler/service/job_service.h"
#include "scheduler/service/key_config.h"
#include "scheduler/service/leader_service.h"
#include "scheduler/service/listener.h"
#include "scheduler/service/measured_store.h"
#include "scheduler/service/model_service.h"
#include "scheduler/service/pipeline_keeper.h"
#include "scheduler/service/pipeline_service.h"
#include "scheduler/service/schedule_keeper.h"
#include "scheduler/service/schedule_service.h"
#include "scheduler/service/stored_references.h"
#include "scheduler/service/worker_service.h"
#include "scheduler/store/postgres/lease_store.h"
#include "scheduler/store/postgres/postgres_store.h"
#include "scheduler/store/sqlite_store.h"

namespace switchyard::scheduler {
namespace {

constexpr int kReaders = 4;
// Streams would go on for ever: they are cut after this, unary calls are done long before.
constexpr std::chrono::milliseconds kDrainTime(1000);
constexpr std::chrono::milliseconds kWorkerDrainTime(100);

// What Start opened.
struct Opened {
  std::unique_ptr<JobStore> store;
  std::unique_ptr<ArtifactStore> artifacts;
  // Of a scheduler that may have others beside it; null: it is alone.
  std::unique_ptr<LeaseStore> leases;
  std::unique_ptr<DirectoryLock> folder;
  std::string scheduler_id;
};

class WholeServer final : public Server {
 public:
  WholeServer(config::v1::SchedulerConfig config, const std::string& operator_token, Clock& clock,
              Opened opened, std::function<void()> deposed)
      : config_(std::move(config)),
        clock_(clock),
        deposed_(std::move(deposed)),
        folder_(std::move(opened.folder)),
        sole_(Identity(opened.scheduler_id)),
        leases_(std::move(opened.leases)),
        leader_(leases_ == nullptr ? nullptr : MakeKeeper(opened.scheduler_id)),
        store_(std::make_unique<MeasuredStore>(std::move(opened.store), *registry_)),
        led_store_(leases_ == nullptr
                       ? nullptr
                       : std::make_unique<LedStore>(*store_, *leases_, leadership())),
        artifacts_(std::move(opened.artifacts)),
        metrics_(*registry_),
        principals_(config_, operator_token, clock, leadership()),
        references_(*store_),
        quota_(config_, *store_),
        inputs_(*store_, references_),
        output_(sessions_, events_, results_, metrics_),
        engine_(
            {.core = MakeCoreConfig(config_), .resolver = &inputs_, .leadership = &leadership()},
            led_store_ == nullptr ? *store_ : *led_store_, clock, output_) {}

  ~WholeServer() override { Shutdown(); }

  absl::Status Begin() {
    // A store that cannot be read is told at once by a scheduler that is alone. One of several
    // begins as a standby.
    if (leader_ == nullptr) {
      if (absl::Status status = engine_.Start(); !status.ok()) return status;
    }
    readers_.emplace(kReaders);
    thread_.emplace(engine_);
    backend_.emplace(Backend{*store_, *thread_, engine_.live_view(), events_, results_, *readers_,
                             admission_, principals_, references_, *artifacts_, clock_, metrics_,
                             leadership(), config_.allow_noop()});
    pipelines_.emplace(*backend_);
    schedules_.emplace(*backend_, *pipelines_);
    sweeper_.emplace(*backend_, ArtifactKeepOf(config_));
    if (absl::Status status = BeginListening(); !status.ok()) return status;
    BeginLeading();
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
    sweeper_.reset();
    schedules_.reset();
    pipelines_.reset();
    // No call is left. What the engine still answers goes to nobody, reads it posted end before
    // their pool does.
    leader_thread_.reset();  // Wakes the engine's. What is left is done within the lease, or not.
    thread_.reset();
    readers_.reset();
    // Nothing acts any more: the next one may.
    if (leader_ != nullptr) leader_->GiveBack();
  }

  std::vector<std::pair<std::string, std::string>> addresses() const override {
    std::vector<std::pair<std::string, std::string>> all = {{"client", client_.address},
                                                            {"worker", worker_.address}};
    if (admin_ != nullptr) all.emplace_back("admin", admin_->address());
    return all;
  }

 private:
  const Leadership& leadership() const {
    return leader_ == nullptr ? static_cast<const Leadership&>(sole_) : *leader_;
  }
  SchedulerIdentity Identity(const std::string& id) const {
    return {.id = id, .name = config_.name(), .client_address = "", .version = SWITCHYARD_VERSION};
  }
  std::unique_ptr<LeaderKeeper> MakeKeeper(const std::string& id) {
    const LeaderOptions options{.self = Identity(id), .lease = LeaderLeaseOf(config_)};
    return std::make_unique<LeaderKeeper>(options, *leases_, clock_, [this] { LeadChanged(); });
  }

  void BeginLeading() {
    sole_.set_client_address(client_.address);
    if (leader_ == nullptr) return;
    leader_->set_client_address(client_.address);
    leader_->Step();
    leader_thread_.emplace(*leader_);
  }

  void LeadChanged() {
    thread_->Wake();
    leader_service_->Changed();
    worker_leader_service_->Changed();
    if (leader_->deposed() && !std::exchange(told_deposed_, true) && deposed_) deposed_();
  }

  absl::Status BeginListening() {
    leader_service_.emplace(leadership(), clock_);
    worker_leader_service_.emplace(leadership(), clock_);
    job_service_.emplace(*backend_);
    fleet_service_.emplace(*backend_);
    admin_service_.emplace(*backend_);
    model_service_.emplace(*backend_);
    reference_service_.emplace(*backend_, quota_);
    worker_reference_service_.emplace(*backend_, quota_);
    catalog_service_.emplace(*backend_, quota_);
    array_service_.emplace(*backend_);
    pipeline_service_.emplace(*backend_, *pipelines_);
    schedule_service_.emplace(*backend_, *schedules_);
    worker_service_.emplace(AttachSession::Ports{*thread_, engine_.live_view(), events_, sessions_,
                                                 *readers_, MakeLeaseTimes(config_), leadership(),
                                                 clock_});
    output_.set_on_rebuilt([this] { admin_service_->TakeOverKeys(); });
    absl::StatusOr<Listener> worker =
        Listen(config_.worker_listen(),
               {&*worker_service_, &*worker_reference_service_, &*worker_leader_service_});
    if (!worker.ok()) return worker.status();
    worker_ = std::move(*worker);
    absl::StatusOr<Listener> client = Listen(
        config_.listen(), {&*job_service_, &*fleet_service_, &*admin_service_, &*model_service_,
                           &*reference_service_, &*catalog_service_, &*array_service_,
                           &*pipeline_service_, &*schedule_service_, &*leader_service_});
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
      // Ready to take over: whoever routes by readiness must not take it for broken.
      if (LeadingTerm(leadership(), clock_) == 0) return absl::OkStatus();
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
  const std::function<void()> deposed_;
  bool told_deposed_ = false;  // The leader thread's own.
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  const std::unique_ptr<DirectoryLock> folder_;
  SoleLeader sole_;
  const std::unique_ptr<LeaseStore> leases_;
  const std::unique_ptr<LeaderKeeper> leader_;  // Null: sole_ leads.
  const std::unique_ptr<JobStore> store_;
  const std::unique_ptr<JobStore> led_store_;  // The engine's, when there is a lease.
  const std::unique_ptr<ArtifactStore> artifacts_;
  ServiceMetrics metrics_;
  Principals principals_;
  StoredReferences references_;
  ArtifactQuota quota_;
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
  std::optional<ArtifactSweeper> sweeper_;
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
  std::optional<ArtifactCatalogService> catalog_service_;
  std::optional<WorkerService> worker_service_;
  std::optional<LeaderService> leader_service_;
  std::optional<LeaderService> worker_leader_service_;
  std::optional<LeaderThread> leader_thread_;
  Listener client_;
  Listener worker_;
  std::unique_ptr<AdminServer> admin_;
  std::atomic<bool> stopping_{false};
};

absl::Status OpenPostgres(const config::v1::SchedulerConfig& config, Opened& opened) {
  absl::StatusOr<std::unique_ptr<DirectoryLock>> folder = DirectoryLock::Acquire(config.data_dir());
  if (!folder.ok()) return folder.status();
  opened.folder = *std::move(folder);
  absl::StatusOr<std::string> id = ReadOrMakeSchedulerId(config.data_dir());
  if (!id.ok()) return id.status();
  opened.scheduler_id = *std::move(id);
  PostgresStoreOptions options{.uri = config.postgres().uri(), .readers = kReaders};
  if (!config.postgres().schema().empty()) options.schema = config.postgres().schema();
  absl::StatusOr<std::unique_ptr<JobStore>> store = OpenPostgresStore(options);
  if (!store.ok()) return store.status();
  opened.store = *std::move(store);
  opened.leases = MakePostgresLeaseStore(options, LeaderLeaseOf(config) / 2);
  return absl::OkStatus();
}

absl::Status OpenSqlite(const config::v1::SchedulerConfig& config, Opened& opened) {
  absl::StatusOr<std::unique_ptr<JobStore>> store =
      OpenSqliteStore({.directory = config.data_dir(), .readers = kReaders});
  if (!store.ok()) return store.status();
  opened.store = *std::move(store);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(config::v1::SchedulerConfig config,
                                                      Clock& clock, std::function<void()> deposed) {
  if (absl::Status status = CompleteConfig(config); !status.ok()) return status;
  const absl::StatusOr<std::string> operator_token = ReadOperatorToken(config);
  if (!operator_token.ok()) return operator_token.status();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  Opened opened;
  const absl::Status status =
      config.has_postgres() ? OpenPostgres(config, opened) : OpenSqlite(config, opened);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<ArtifactStore>> artifacts =
      OpenArtifactStore(config.artifact_dir(), config.artifact_s3());
  if (!artifacts.ok()) return artifacts.status();
  opened.artifacts = *std::move(artifacts);
  auto server = std::make_unique<WholeServer>(std::move(config), *operator_token, clock,
                                              std::move(opened), std::move(deposed));
  if (absl::Status begun = server->Begin(); !begun.ok()) return begun;
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace switchyard::scheduler
