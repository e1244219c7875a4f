#include "gateway/gateway.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/artifacts/open_store.h"
#include "common/lifecycle/address_file.h"
#include "common/log/log.h"
#include "common/metrics/metrics_page.h"
#include "common/net/address.h"
#include "common/status/error.h"
#include "gateway/doors/grpc/artifact_service.h"
#include "gateway/doors/grpc/grpc_door.h"
#include "gateway/front/front.h"
#include "gateway/http/server.h"
#include "gateway/transcode/openapi.h"
#include "gateway/transcode/problem.h"
#include "gateway/web/api_descriptors.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/ext/health_check_service_server_builder_option.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "prometheus/registry.h"

namespace switchyard::gateway {
namespace {

using Config = ::switchyard::config::v1::GatewayConfig;

constexpr char kVersion[] = SWITCHYARD_VERSION;

void FillDefaults(Config* config) {
  if (config->http_listen().empty()) config->set_http_listen("127.0.0.1:8080");
  if (config->grpc_listen().empty()) config->set_grpc_listen("127.0.0.1:7070");
  if (config->max_json_bytes() == 0) config->set_max_json_bytes(16 << 20);
  if (config->max_artifact_bytes() == 0) config->set_max_artifact_bytes(uint64_t{64} << 30);
  if (config->max_connections() == 0) config->set_max_connections(1024);
}

absl::Status CheckConfig(const Config& config) {
  std::vector<std::string> faults;
  const auto check = [&](const absl::Status& status) {
    if (!status.ok()) faults.emplace_back(status.message());
  };
  check(RequireLoopback("http_listen", config.http_listen()));
  check(RequireLoopback("grpc_listen", config.grpc_listen()));
  if (config.scheduler().empty())
    faults.push_back("scheduler: required, HOST:PORT of the client listener of each scheduler");
  if (config.artifact_dir().empty() != config.has_artifact_s3()) {
    faults.push_back("artifact_dir: required, a folder; or artifact_s3, not both");
  }
  if (config.has_artifact_s3()) {
    for (std::string& fault : FaultsOf(config.artifact_s3())) faults.push_back(std::move(fault));
  }
  if (config.max_json_bytes() > static_cast<uint64_t>(kMaxMessageBytes)) {
    faults.push_back(absl::StrCat("max_json_bytes: at most ", kMaxMessageBytes));
  }
  if (faults.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
}

class GatewayImpl final : public Gateway {
 public:
  GatewayImpl(Config config, const GatewayTuning& tuning)
      : config_(std::move(config)), tuning_(tuning) {}
  ~GatewayImpl() override { Stop(std::chrono::milliseconds(0)); }

  absl::Status Run();
  std::string http_address() const override { return http_->address().ToString(); }
  std::string grpc_address() const override { return grpc_address_; }
  void Stop(std::chrono::milliseconds grace) override;

 private:
  absl::Status Describe();
  absl::Status StartGrpc();
  absl::Status StartHttp();
  absl::Status Ready() const;
  void WatchScheduler();

  const Config config_;
  const GatewayTuning tuning_;
  std::unique_ptr<ApiDescriptors> descriptors_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<RouteTable> routes_;
  std::unique_ptr<Reflection> reflection_;
  std::string openapi_;

  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::shared_ptr<prometheus::Collectable> process_metrics_ =
      MakeProcessMetrics("switchyard-gateway", kVersion);
  GatewayMetrics metrics_{*registry_};

  std::unique_ptr<ArtifactStore> store_;
  std::unique_ptr<Upstream> upstream_;
  std::unique_ptr<grpc::Service> artifacts_;
  std::unique_ptr<GrpcDoor> grpc_door_;
  std::unique_ptr<grpc::Server> grpc_;
  std::string grpc_address_;

  std::unique_ptr<JsonDoor> json_door_;
  std::unique_ptr<Site> site_;
  std::unique_ptr<Front> front_;
  std::unique_ptr<http::Server> http_;

  // The scheduler answers, or did since the start: calls are held over its restarts.
  std::atomic<bool> scheduler_seen_{false};
  std::atomic<bool> draining_{false};
  std::thread watcher_;
  bool stopped_ = false;
};

absl::Status GatewayImpl::Describe() {
  absl::StatusOr<std::unique_ptr<ApiDescriptors>> descriptors = ApiDescriptors::Load();
  if (!descriptors.ok()) return descriptors.status();
  descriptors_ = *std::move(descriptors);
  absl::StatusOr<std::unique_ptr<Api>> api = Api::Build(descriptors_->linked());
  if (!api.ok()) return api.status();
  api_ = *std::move(api);
  routes_ = std::make_unique<RouteTable>(*api_);
  absl::StatusOr<std::unique_ptr<Api>> commented = Api::Build(descriptors_->commented());
  if (!commented.ok()) return commented.status();
  openapi_ = OpenApiJson(**commented, kVersion);
  std::vector<std::string> names = descriptors_->names();
  for (const auto* file :
       {grpc::health::v1::HealthCheckRequest::descriptor()->file(),
        grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()->file()}) {
    names.push_back(file->service(0)->full_name());
  }
  reflection_ = std::make_unique<Reflection>(names);
  return absl::OkStatus();
}

absl::Status GatewayImpl::Run() {
  if (absl::Status status = Describe(); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<ArtifactStore>> store =
      OpenArtifactStore(config_.artifact_dir(), config_.artifact_s3());
  if (!store.ok()) return Annotate(store.status(), "opening the artifact store");
  store_ = *std::move(store);
  upstream_ = std::make_unique<Upstream>(
      std::vector<std::string>(config_.scheduler().begin(), config_.scheduler().end()));
  if (absl::Status status = StartGrpc(); !status.ok()) return status;
  if (absl::Status status = StartHttp(); !status.ok()) return status;
  watcher_ = std::thread([this] { WatchScheduler(); });
  return WriteAddressFile(config_.address_file(),
                          {{"http", http_address()}, {"grpc", grpc_address()}});
}

absl::Status GatewayImpl::StartGrpc() {
  ArtifactServiceOptions options;
  options.max_artifact_bytes = config_.max_artifact_bytes();
  artifacts_ = MakeArtifactService(options, store_.get(), *upstream_);
  grpc_door_ = std::make_unique<GrpcDoor>(
      api_.get(), upstream_.get(), reflection_.get(), &SystemRandomIds(),
      [this](absl::string_view method, grpc::StatusCode code, absl::Duration took) {
        metrics_.CountGrpc(method, CodeName(static_cast<absl::StatusCode>(code)), took);
      });
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(config_.grpc_listen(), grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(artifacts_.get());
  builder.RegisterCallbackGenericService(grpc_door_.get());
  grpc_ = builder.BuildAndStart();
  absl::StatusOr<Address> address = ParseAddress(config_.grpc_listen());
  if (grpc_ == nullptr || (port <= 0 && !address->is_unix())) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen on grpc_listen ", config_.grpc_listen(), ": is it in use?"));
  }
  if (!address->is_unix()) address->port = static_cast<uint16_t>(port);
  grpc_address_ = address->ToString();
  grpc_->GetHealthCheckService()->SetServingStatus(false);
  // The JSON door reaches what is served here the same way as everything else.
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  upstream_->Serve("switchyard.v1.ArtifactService", grpc_->InProcessChannel(arguments));
  return absl::OkStatus();
}

absl::Status GatewayImpl::StartHttp() {
  JsonDoorOptions options;
  options.max_json_bytes = config_.max_json_bytes();
  options.max_raw_bytes = config_.max_artifact_bytes();
  options.heartbeat = tuning_.heartbeat;
  json_door_ = std::make_unique<JsonDoor>(options, upstream_.get(), &SystemRandomIds());
  SiteContent content;
  content.openapi = openapi_;
  content.ready = [this] { return Ready(); };
  content.metrics_page = [this] { return MetricsPage({registry_, process_metrics_}); };
  site_ = std::make_unique<Site>(std::move(content));
  front_ = std::make_unique<Front>(routes_.get(), json_door_.get(), site_.get(), &metrics_,
                                   &SystemRandomIds());
  http::ServerOptions server = tuning_.http;
  server.threads = std::clamp<int>(std::thread::hardware_concurrency(), 1, 4);
  server.max_connections = config_.max_connections();
  const absl::StatusOr<Address> address = ParseAddress(config_.http_listen());
  if (!address.ok()) return address.status();
  absl::StatusOr<std::unique_ptr<http::Server>> started =
      http::Server::Start(*address, server, front_.get());
  if (!started.ok()) return Annotate(started.status(), "http_listen");
  http_ = *std::move(started);
  return absl::OkStatus();
}

absl::Status GatewayImpl::Ready() const {
  if (draining_) {
    return MakeError(absl::StatusCode::kUnavailable, "DRAINING", "this gateway is about to stop");
  }
  if (!scheduler_seen_) {
    const std::string asked = absl::StrJoin(config_.scheduler(), ", ");
    return MakeError(absl::StatusCode::kUnavailable, "SCHEDULER_UNREACHABLE",
                     absl::StrCat("no scheduler answers yet; asked: ", asked),
                     {{"scheduler", asked}});
  }
  return absl::OkStatus();
}

void GatewayImpl::WatchScheduler() {
  while (!draining_) {
    // Also what makes the channel connect before the first call.
    const LeaderFinder::Scheduler& scheduler = upstream_->scheduler();
    if (scheduler.channel->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) {
      scheduler_seen_ = true;
      grpc_->GetHealthCheckService()->SetServingStatus(true);
      LogInfo("scheduler reached", {{"scheduler", scheduler.address}});
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void GatewayImpl::Stop(std::chrono::milliseconds grace) {
  if (std::exchange(stopped_, true)) return;
  draining_ = true;
  if (watcher_.joinable()) watcher_.join();
  if (grpc_ != nullptr) grpc_->GetHealthCheckService()->SetServingStatus(false);
  if (http_ != nullptr) http_->Stop(grace);
  if (grpc_ != nullptr) {
    grpc_->Shutdown(std::chrono::system_clock::now() + grace);
    grpc_->Wait();
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(Config config,
                                                        const GatewayTuning& tuning) {
  FillDefaults(&config);
  if (absl::Status status = CheckConfig(config); !status.ok()) return status;
  auto gateway = std::make_unique<GatewayImpl>(std::move(config), tuning);
  if (absl::Status status = gateway->Run(); !status.ok()) return status;
  return gateway;
}

}  // namespace switchyard::gateway
