#include "scheduler/engine/core_builder.h"

#include <algorithm>
#include <utility>

#include "scheduler/engine/live_settings.h"
#include "scheduler/engine/policy_document.h"
#include "scheduler/engine/row_codec.h"
#include "scheduler/engine/stored_workers.h"

namespace switchyard::scheduler {

std::vector<LimitRow> ToRows(const std::vector<LimitRule>& rules) {
  std::vector<LimitRow> rows;
  for (const LimitRule& rule : rules) {
    rows.push_back(
        {rule.worker, rule.device, static_cast<uint32_t>(rule.job_class), rule.max_running});
  }
  return rows;
}

std::vector<LimitRule> ToRules(const std::vector<LimitRow>& rows) {
  std::vector<LimitRule> rules;
  for (const LimitRow& row : rows) {
    rules.push_back(
        {row.worker, row.device, static_cast<JobClass>(row.job_class), row.max_running});
  }
  return rules;
}

namespace {

// What is kept of workers over restarts.
absl::Status LoadWorkers(JobStore& store, CoreConfig& config) {
  const auto cordons = store.GetDocument(CordonsKey());
  if (!cordons.ok()) return cordons.status();
  if (cordons->has_value()) {
    auto decoded = DecodeCordons((*cordons)->bytes);
    if (!decoded.ok()) return decoded.status();
    config.cordons = *std::move(decoded);
  }
  const auto users = store.GetDocument(LedgerUsersKey());
  if (!users.ok()) return users.status();
  if (users->has_value()) {
    auto decoded = DecodeLedgerUsers((*users)->bytes);
    if (!decoded.ok()) return decoded.status();
    config.ledger_users = *std::move(decoded);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Core>> BuildCore(CoreConfig config, JobStore& store,
                                                const Now& now) {
  const absl::StatusOr<uint64_t> epoch = store.BumpEpoch();
  if (!epoch.ok()) return epoch.status();
  const absl::StatusOr<JobId> last = store.LastJobId();
  if (!last.ok()) return last.status();
  const absl::StatusOr<std::vector<LimitRow>> limits = store.GetLimits();
  if (!limits.ok()) return limits.status();
  config.epoch = *epoch;
  config.last_job_id = *last;
  config.limits = ToRules(*limits);
  const auto stored = store.GetDocument(LiveSettingsKey());
  if (!stored.ok()) return stored.status();
  if (stored->has_value()) {
    absl::StatusOr<LiveSettings> live = DecodeLiveSettings((*stored)->bytes);
    if (!live.ok()) return live.status();
    config.live = *std::move(live);
  }
  const absl::Status workers = LoadWorkers(store, config);
  if (!workers.ok()) return workers;
  const auto learned = store.GetDocument(PolicyStateKey());
  if (!learned.ok() && !absl::IsDataLoss(learned.status())) return learned.status();
  auto core = std::make_unique<Core>(std::move(config));
  if (learned.ok() && learned->has_value()) {
    core->RestorePolicyState(DecodePolicyState((*learned)->bytes), now);
  }
  JobImage image;
  const absl::Status status = store.LoadLive([&](JobRow& row) {
    const absl::Status decoded = DecodeRow(row, image);
    if (decoded.ok()) core->Restore(image, now);
    return decoded;
  });
  if (!status.ok()) return status;
  return core;
}

}  // namespace switchyard::scheduler
