#include "gateway/testing/fake_scheduler.h"

#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "grpcpp/server_builder.h"

namespace switchyard::gateway {

namespace api = ::switchyard::v1;
namespace internal = ::switchyard::worker::v1;

namespace {

std::string MetadataOf(const grpc::ServerContext& context, const char* name) {
  const auto found = context.client_metadata().find(name);
  if (found == context.client_metadata().end()) return "";
  return std::string(found->second.data(), found->second.size());
}

}  // namespace

class FakeScheduler::Jobs final : public api::JobService::Service {
 public:
  grpc::Status CreateJob(grpc::ServerContext* context, const api::CreateJobRequest* request,
                         api::Job* response) override {
    MutexLock lock(mutex_);
    if (fail_creates_ > 0) {
      --fail_creates_;
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the commit failed");
    }
    created_.push_back(*request);
    authorizations_.push_back(MetadataOf(*context, "authorization"));
    const auto trace = context->client_metadata().find("traceparent");
    if (trace != context->client_metadata().end()) {
      traceparents_.emplace_back(trace->second.data(), trace->second.size());
    }
    if (request->job().priority() > 9) return ToGrpc(InvalidField("job.priority", "1 to 9"));
    *response = request->job();
    response->set_id("0job");
    response->set_state(api::Job::QUEUED);
    return grpc::Status::OK;
  }

  grpc::Status GetJob(grpc::ServerContext* context, const api::GetJobRequest* request,
                      api::Job* response) override {
    if (request->job() == "held") return Hold(context);
    if (request->job() == "busy") {
      return ToGrpc(WithRetryDelay(
          MakeError(absl::StatusCode::kResourceExhausted, "QUEUE_FULL", "the queue is full"),
          absl::Milliseconds(1500)));
    }
    if (request->job() != "0job") return ToGrpc(NotFound("job", request->job()));
    response->set_id(request->job());
    response->set_state(api::Job::RUNNING);
    return grpc::Status::OK;
  }

  grpc::Status ListJobs(grpc::ServerContext*, const api::ListJobsRequest*,
                        api::ListJobsResponse*) override {
    return grpc::Status::OK;
  }

  // Events 1 to 4. "broken" breaks after 2 when asked from the beginning; "endless" goes on with
  // nothing.
  grpc::Status WatchJob(grpc::ServerContext* context, const api::WatchJobRequest* request,
                        grpc::ServerWriter<api::JobEvent>* writer) override {
    {
      MutexLock lock(mutex_);
      watched_from_.push_back(request->last_event_id());
      authorizations_.push_back(MetadataOf(*context, "authorization"));
    }
    if (request->job() == "unknown") return ToGrpc(NotFound("job", request->job()));
    const int after = request->last_event_id().empty() ? 0 : request->last_event_id().back() - '0';
    for (int i = after + 1; i <= 4; ++i) {
      api::JobEvent event;
      event.set_id(absl::StrCat("1.1.", i));
      event.mutable_metric()->set_name("loss");
      event.mutable_metric()->set_step(i);
      writer->Write(event);
      if (request->job() == "broken" && after == 0 && i == 2) {
        return grpc::Status(grpc::StatusCode::UNAVAILABLE, "leader gone");
      }
    }
    return request->job() == "endless" ? Hold(context) : grpc::Status::OK;
  }

  Mutex mutex_;
  std::vector<api::CreateJobRequest> created_ GUARDED_BY(mutex_);
  std::vector<std::string> traceparents_ GUARDED_BY(mutex_);
  std::vector<std::string> watched_from_ GUARDED_BY(mutex_);
  std::vector<std::string> authorizations_ GUARDED_BY(mutex_);
  int fail_creates_ GUARDED_BY(mutex_) = 0;
  int abandoned_ GUARDED_BY(mutex_) = 0;

 private:
  grpc::Status Hold(grpc::ServerContext* context) {
    while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    MutexLock lock(mutex_);
    ++abandoned_;
    return grpc::Status::CANCELLED;
  }
};

// More than that is never admitted.
constexpr int64_t kFakeQuota = 30'000'000;

class FakeScheduler::References final : public internal::ArtifactReferenceService::Service {
 public:
  grpc::Status AdmitArtifact(grpc::ServerContext*, const internal::AdmitArtifactRequest* request,
                             internal::AdmitArtifactResponse* response) override {
    MutexLock lock(mutex_);
    response->set_tenant("default");
    response->set_free_bytes(-1);
    const auto found = rows_.find(request->sha256());
    if (found != rows_.end()) *response->mutable_artifact() = found->second;
    if (request->size_bytes() > kFakeQuota) {
      return ToGrpc(MakeError(absl::StatusCode::kResourceExhausted, "ARTIFACT_QUOTA", "no room"));
    }
    response->set_free_bytes(kFakeQuota);
    return grpc::Status::OK;
  }
  grpc::Status RecordArtifact(grpc::ServerContext* context,
                              const internal::RecordArtifactRequest* request,
                              api::Artifact* response) override {
    MutexLock lock(mutex_);
    authorizations_.push_back(MetadataOf(*context, "authorization"));
    *response = rows_[request->artifact().sha256()] = request->artifact();
    return grpc::Status::OK;
  }
  grpc::Status LookupArtifact(grpc::ServerContext*, const internal::LookupArtifactRequest* request,
                              api::Artifact* response) override {
    MutexLock lock(mutex_);
    const auto found = rows_.find(request->sha256());
    if (found == rows_.end()) return ToGrpc(NotFound("artifact", request->sha256()));
    *response = found->second;
    return grpc::Status::OK;
  }

  Mutex mutex_;
  std::map<std::string, api::Artifact> rows_ GUARDED_BY(mutex_);
  std::vector<std::string> authorizations_ GUARDED_BY(mutex_);
};

FakeScheduler::FakeScheduler()
    : jobs_(std::make_unique<Jobs>()), references_(std::make_unique<References>()) {
  Start();
}

FakeScheduler::~FakeScheduler() { Stop(); }

void FakeScheduler::Start() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port_), grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterService(jobs_.get());
  builder.RegisterService(references_.get());
  server_ = builder.BuildAndStart();
}

void FakeScheduler::Stop() {
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

std::string FakeScheduler::address() const { return absl::StrCat("127.0.0.1:", port_); }

std::vector<api::CreateJobRequest> FakeScheduler::created() {
  MutexLock lock(jobs_->mutex_);
  return jobs_->created_;
}
std::vector<std::string> FakeScheduler::traceparents() {
  MutexLock lock(jobs_->mutex_);
  return jobs_->traceparents_;
}
std::vector<std::string> FakeScheduler::watched_from() {
  MutexLock lock(jobs_->mutex_);
  return jobs_->watched_from_;
}
std::vector<std::string> FakeScheduler::authorizations() {
  std::vector<std::string> all;
  {
    MutexLock lock(jobs_->mutex_);
    all = jobs_->authorizations_;
  }
  MutexLock lock(references_->mutex_);
  all.insert(all.end(), references_->authorizations_.begin(), references_->authorizations_.end());
  return all;
}
void FakeScheduler::FailCreates(int count) {
  MutexLock lock(jobs_->mutex_);
  jobs_->fail_creates_ = count;
}
int FakeScheduler::abandoned() {
  MutexLock lock(jobs_->mutex_);
  return jobs_->abandoned_;
}

}  // namespace switchyard::gateway
