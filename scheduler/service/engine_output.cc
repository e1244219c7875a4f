#include "scheduler/service/engine_output.h"

#include <memory>
#include <string>

#include "common/kind/kind.h"
#include "common/log/log.h"
#include "scheduler/engine/row_codec.h"

namespace switchyard::scheduler {
namespace {

std::shared_ptr<const JobImage> ImageOf(const JobNotice& notice) {
  auto image = std::make_shared<JobImage>();
  if (notice.image != nullptr) {
    *image = *notice.image;
  } else if (notice.row == nullptr || !DecodeUpdate(*notice.row, *image).ok()) {
    return nullptr;
  }
  image->tenant = std::string(notice.tenant);
  image->kind = notice.job_kind;
  return image;
}

// Long work is worth a line of its own; short work is, when somebody debugs.
void LogEnd(const JobNotice& notice) {
  const KindTraits* kind = FindKind(static_cast<v1::Job::KindCase>(notice.job_kind));
  const LogLevel level = kind != nullptr && kind->own_runner ? LogLevel::kInfo : LogLevel::kDebug;
  if (!LogEnabled(level)) return;
  Log(level, "job ended",
      {{"job", FormatJobId(notice.id)},
       {"kind", kind == nullptr ? "" : kind->name},
       {"state", v1::Job::State_Name(static_cast<int>(notice.state))}});
}

}  // namespace

void ServiceOutput::Publish(absl::Span<const JobNotice> notices) {
  for (const JobNotice& notice : notices) {
    if (notice.kind == Change::kDeleted) continue;
    events_.StateChanged(notice.id, notice.change_count, [&] { return ImageOf(notice); });
    if (!HasEnded(notice.state)) continue;
    LogEnd(notice);
    metrics_.Ended(notice.job_kind, notice.state);
    if (notice.row != nullptr) results_.Ended(notice.tenant, *notice.row);
  }
  results_.Flush();
}

void ServiceOutput::Rebuilt(uint64_t epoch) {
  LogInfo("scheduler leads", {{"epoch", epoch}});
  events_.Rebuilt();
  results_.Rebuilt();
  if (on_rebuilt_) on_rebuilt_();
}

}  // namespace switchyard::scheduler
