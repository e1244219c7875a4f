// The port for a kind of work: what the runner asks of it and what it may ask of the runner.
//
// A kind is one class that implements Executor, registered once in worker/tasks/registry. It runs
// on a thread of its own in a runner process; several attempts of kinds that share the serving
// runner run at once, each with an Executor object of its own. Cross-cutting needs (metering,
// timeouts, logging) are decorators around Executor.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/artifacts/artifact_store.h"
#include "switchyard/v1/event.pb.h"
#include "switchyard/v1/job.pb.h"
#include "switchyard/worker/v1/worker_service.pb.h"

namespace switchyard::worker {

// `v1` alone is switchyard::worker::v1 in here.
namespace api = ::switchyard::v1;

// The device an attempt runs on, as the runner was started with it.
struct DeviceHandle {
  std::string device;  // `cpu`, `cuda:0`.
  std::string name;    // Model name of the processor or GPU.
  int threads = 1;     // Threads an attempt may use on a cpu device.
  std::string uuid;    // Of a GPU, as NVML has it; empty where not known.
};

// Where an attempt stands among those that do one job together. A job for one device has size 1.
struct GangPlace {
  uint32_t size = 1;                 // Devices of the whole gang.
  uint32_t rank = 0;                 // Of this member's first device among them.
  uint32_t members = 1;              // Processes (workers) concerned.
  uint32_t member = 0;               // Which of them this is.
  std::string rendezvous;            // Where member 0 may be met (HOST:PORT); empty for one member.
  std::vector<std::string> devices;  // This member's, `cuda:0`, ...; empty: context.device() alone.
};

// What an attempt may ask of its runner. Thread-safe. Outlives the Executor's calls.
class AttemptContext {
 public:
  virtual ~AttemptContext() = default;

  // True once the attempt shall end at once. An executor looks at least every 100 ms of its work
  // and returns CANCELLED; one that has not returned 0.8 s after the request is killed with its
  // process where it owns it.
  virtual bool Cancelled() const = 0;
  // True once the attempt shall keep a checkpoint and end: by `:stop`, or because more urgent work
  // wants the device (then Preempted() is true too). After a `:stop` it returns its result so far,
  // with OK, and says so by EndsEarly; preempted it returns CANCELLED, and a later attempt goes on.
  // Work that is done all the same just returns its result.
  virtual bool StopRequested() const = 0;
  // True when the job goes on in a later attempt after this one was asked to stop.
  virtual bool Preempted() const { return false; }
  // Time left before the attempt is killed, once StopRequested; infinite before.
  virtual absl::Duration GraceLeft() const { return absl::InfiniteDuration(); }
  // The OK that Run is about to return is what there was when a stop came, not the whole.
  virtual void EndsEarly() {}
  // To be called between blocks of device work. The place where more urgent work is let through.
  virtual void YieldPoint() = 0;

  virtual void SetPhase(api::Job::Phase phase) = 0;
  // 0 to 1 and what is being done, for people.
  virtual void Progress(double fraction, absl::string_view message) = 0;
  virtual void Log(api::LogLine::Severity severity, absl::string_view text) = 0;
  // Series name, step from 1, value.
  virtual void Metric(absl::string_view name, uint64_t step, double value) = 0;

  // An artifact of this attempt, stored and synced already. Named in the final report.
  virtual void AddOutput(api::OutputArtifact output) = 0;
  // A checkpoint, stored and synced already; a next attempt may begin from it as soon as the
  // scheduler has accepted this.
  virtual void ReportCheckpoint(api::OutputArtifact checkpoint) = 0;

  virtual ArtifactStore& artifacts() = 0;
  // Empty scratch folder of this attempt; removed after it.
  virtual const std::string& work_dir() const = 0;
  // Folders that Source.path may name.
  virtual const std::vector<std::string>& data_roots() const = 0;
  virtual const DeviceHandle& device() const = 0;
  virtual const GangPlace& gang() const {
    static const GangPlace alone;
    return alone;
  }
  // Most device memory this attempt may take, bytes; 0: not limited. LibTorch's allocator holds to
  // it by itself; other work has to.
  virtual int64_t memory_limit_bytes() const { return 0; }
  // The attempt keeps so many bytes to its end beside LibTorch's tensors (read samples, say): they
  // count against its limit where both are one memory. False when they do not fit: then do not.
  virtual bool KeepMemory(int64_t) { return true; }
  // Work that LibTorch does not do: the most memory it took so far, bytes.
  virtual void NoteMemoryPeak(int64_t) {}
  // Samples computed at a time, where the kind has such a thing: what the scheduler shrinks when
  // memory runs out. 0 was not told.
  virtual void SetBatch(uint32_t) {}
};

// One attempt at one job. Used by one thread: Prepare once, then Run once.
//
// Errors of both become the attempt's error and are shown to the user: name the thing and the next
// step. INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION, PERMISSION_DENIED, OUT_OF_RANGE and
// UNIMPLEMENTED are permanent (another attempt would fail alike); RESOURCE_EXHAUSTED with reason
// OUT_OF_MEMORY is the out-of-memory outcome; CANCELLED confirms a cancel; everything else may be
// retried.
class Executor {
 public:
  virtual ~Executor() = default;
  // Fetches and checks inputs. `job` is parsed from `assignment.job()`; both outlive Run.
  virtual absl::Status Prepare(AttemptContext& context, const api::Job& job,
                               const ::switchyard::worker::v1::Assignment& assignment) = 0;
  // Does the work. The returned Job has only its oneof `result` set. May throw: the runner turns
  // what is thrown into INTERNAL with its first line (std::bad_alloc into out of memory).
  virtual absl::StatusOr<api::Job> Run(AttemptContext& context) = 0;
};

// How a runner makes an executor for a kind (the name of Job's oneof member). Null for a kind it
// does not know.
using ExecutorFactory = std::function<std::unique_ptr<Executor>(absl::string_view kind)>;

}  // namespace switchyard::worker
