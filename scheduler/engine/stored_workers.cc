#include "scheduler/engine/stored_workers.h"

#include "switchyard/storage/v1/worker_records.pb.h"

namespace switchyard::scheduler {

DocumentKey CordonsKey() { return {.collection = "settings", .tenant = "", .id = "cordons"}; }

std::string EncodeCordons(const std::vector<Cordon>& cordons) {
  storage::v1::Cordons document;
  for (const Cordon& cordon : cordons) {
    storage::v1::CordonRecord& record = *document.add_cordons();
    record.set_worker(cordon.worker);
    record.set_reason(cordon.reason);
    record.set_drain_deadline_us(cordon.drain_deadline_us);
  }
  return document.SerializeAsString();
}

absl::StatusOr<std::vector<Cordon>> DecodeCordons(absl::string_view bytes) {
  storage::v1::Cordons document;
  if (!document.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(
        "the stored cordons of workers cannot be read; restore the scheduler's data folder from a "
        "backup");
  }
  std::vector<Cordon> cordons;
  for (const storage::v1::CordonRecord& record : document.cordons()) {
    cordons.push_back({.worker = record.worker(),
                       .reason = record.reason(),
                       .drain_deadline_us = static_cast<int64_t>(record.drain_deadline_us())});
  }
  return cordons;
}

DocumentKey LedgerUsersKey() {
  return {.collection = "settings", .tenant = "", .id = "ledger_users"};
}

std::string EncodeLedgerUsers(const std::vector<LedgerUser>& users) {
  storage::v1::LedgerUsers document;
  for (const LedgerUser& user : users) {
    storage::v1::LedgerUserRecord& record = *document.add_users();
    record.set_ledger(user.ledger);
    record.set_worker(user.worker);
  }
  return document.SerializeAsString();
}

absl::StatusOr<std::vector<LedgerUser>> DecodeLedgerUsers(absl::string_view bytes) {
  storage::v1::LedgerUsers document;
  if (!document.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(
        "the stored list of workers that share memory cannot be read; restore the scheduler's data "
        "folder from a backup");
  }
  std::vector<LedgerUser> users;
  for (const storage::v1::LedgerUserRecord& record : document.users()) {
    users.push_back({.ledger = record.ledger(), .worker = record.worker()});
  }
  return users;
}

}  // namespace switchyard::scheduler
