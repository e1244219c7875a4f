#include "cli/format/fleet_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/format/table.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

std::string UseText(const v1::Device& device) {
  return absl::StrJoin(device.use(), ", ", [](std::string* out, const v1::ClassUse& use) {
    absl::StrAppend(out, absl::AsciiStrToLower(v1::JobClass_Name(use.job_class())), " ",
                    use.running(), "/", use.limit());
    if (use.assigned() > 0) absl::StrAppend(out, " (+", use.assigned(), ")");
  });
}

std::string OrAny(const std::string& text) { return text.empty() ? "any" : text; }

// "ATTACHED, cordoned", "ATTACHED, drains for 9 m 58 s".
std::string StateText(const v1::Worker& worker, absl::Time now) {
  std::string text = v1::Worker::State_Name(worker.state());
  if (worker.has_drain_time()) {
    const absl::Duration left = FromProto(worker.drain_time()) - now;
    return absl::StrCat(text, left > absl::ZeroDuration()
                                  ? absl::StrCat(", drains for ", DurationText(left))
                                  : std::string(", drained"));
  }
  return worker.cordoned() ? absl::StrCat(text, ", cordoned") : text;
}

}  // namespace

std::string DevicesTable(const google::protobuf::RepeatedPtrField<v1::Device>& devices) {
  if (devices.empty()) return "no device: no worker is attached\n";
  Table table({"WORKER", "DEVICE", "NAME", ">MEMORY", ">USED", ">CORES", "RUNNING/LIMIT"});
  for (const v1::Device& device : devices) {
    table.Add({device.worker(), device.device(), device.name(),
               BytesText(device.memory_total_bytes()), BytesText(device.memory_used_bytes()),
               device.cores() > 0 ? absl::StrCat(device.cores()) : "", UseText(device)});
  }
  return table.Text();
}

std::string DeviceLine(const v1::Device& device) {
  std::vector<std::string> facts;
  if (!device.compute_capability().empty()) {
    facts.push_back(absl::StrCat("compute capability ", device.compute_capability()));
  }
  if (device.cores() > 0) facts.push_back(absl::StrCat(device.cores(), " cores"));
  facts.push_back(absl::StrCat(
      BytesText(device.memory_total_bytes()), " memory, ", BytesText(device.memory_used_bytes()),
      " used, ", BytesText(device.memory_total_bytes() - device.memory_used_bytes()), " free"));
  if (!device.cuda_version().empty()) facts.push_back(absl::StrCat("CUDA ", device.cuda_version()));
  if (!device.libtorch_version().empty())
    facts.push_back(absl::StrCat("LibTorch ", device.libtorch_version()));
  return absl::StrCat(device.device(), "  ", Printable(device.name()), ": ",
                      absl::StrJoin(facts, ", "));
}

std::string WorkersTable(const google::protobuf::RepeatedPtrField<v1::Worker>& workers,
                         absl::Time now) {
  if (workers.empty()) return "no worker is attached; `switchyard up` starts one\n";
  Table table({"WORKER", "STATE", "HOST", "DEVICES", ">ATTEMPTS", ">ATTACHED", ">SEEN", "VERSION"});
  for (const v1::Worker& worker : workers) {
    table.Add({worker.id(), StateText(worker, now), worker.host(),
               absl::StrJoin(worker.devices(), ","), absl::StrCat(worker.attempts()),
               DurationText(now - FromProto(worker.attach_time())),
               DurationText(now - FromProto(worker.last_seen_time())), worker.version()});
  }
  return table.Text();
}

std::string SchedulersTable(const google::protobuf::RepeatedPtrField<v1::Scheduler>& schedulers,
                            absl::Time now) {
  Table table({"SCHEDULER", "ROLE", "ADDRESS", ">TERM", ">SEEN", "VERSION"});
  for (const v1::Scheduler& scheduler : schedulers) {
    const bool leads = scheduler.role() == v1::Scheduler::LEADER;
    table.Add({scheduler.name(), leads ? "leads" : "stands by", scheduler.address(),
               leads ? absl::StrCat(scheduler.term()) : "",
               leads ? "now" : DurationText(now - FromProto(scheduler.last_seen_time())),
               scheduler.version()});
  }
  return table.Text();
}

std::string QueueText(const v1::Queue& queue) {
  std::string text = absl::StrCat(queue.queued(), " queued of at most ", queue.capacity(), ", ",
                                  queue.running(), " running; leader epoch ", queue.epoch(), "\n");
  for (const std::string& paused : queue.paused()) absl::StrAppend(&text, "paused: ", paused, "\n");
  if (queue.queued() == 0) return text;
  absl::StrAppend(&text, "the oldest waits since ", DurationText(FromProto(queue.oldest_age())),
                  "\n");
  Table table({">PRIORITY", ">QUEUED"});
  for (int i = 0; i < queue.queued_by_priority_size(); ++i) {
    if (queue.queued_by_priority(i) > 0) {
      table.Add({absl::StrCat(i + 1), absl::StrCat(queue.queued_by_priority(i))});
    }
  }
  return text + table.Text();
}

std::string LimitsTable(const v1::Limits& limits) {
  Table table({"WORKER", "DEVICE", "CLASS", ">MAX RUNNING"});
  for (const v1::Limit& limit : limits.limits()) {
    table.Add({OrAny(limit.worker()), OrAny(limit.device()),
               absl::AsciiStrToLower(v1::JobClass_Name(limit.job_class())),
               absl::StrCat(limit.max_running())});
  }
  const std::string set = table.empty() ? "no limit is set\n" : table.Text();
  return set +
         "defaults: a GPU 1 training and 3 inference, a CPU 2 training and 4 inference, a worker 8 "
         "general\n";
}

}  // namespace switchyard::cli
