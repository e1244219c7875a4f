#include "scheduler/store/postgres/postgres_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "scheduler/store/pooled_reads_store.h"
#include "scheduler/store/postgres/reader.h"
#include "scheduler/store/postgres/writer.h"

namespace switchyard::scheduler {
namespace {

class PostgresStore final : public PooledReadsStore<PostgresReader> {
 public:
  explicit PostgresStore(std::unique_ptr<PostgresWriter> writer) : writer_(std::move(writer)) {}

  absl::StatusOr<uint64_t> BumpEpoch() override { return writer_->BumpEpoch(); }
  absl::Status Commit(uint64_t epoch, const WriteBatch& batch) override {
    return writer_->Commit(epoch, batch);
  }
  absl::StatusOr<int> RemoveExpiredRequests(int64_t now_ms, int max_scanned) override {
    return writer_->RemoveExpiredRequests(now_ms, max_scanned);
  }

 private:
  std::unique_ptr<PostgresWriter> writer_;
};

// It is written into statements between quotes.
bool IsSchemaName(absl::string_view name) {
  const auto fits = [](char c) { return absl::ascii_isalnum(c) || c == '_'; };
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

absl::StatusOr<std::unique_ptr<JobStore>> OpenPostgresStore(const PostgresStoreOptions& options) {
  if (!IsSchemaName(options.schema)) {
    return absl::InvalidArgumentError(absl::StrCat("the schema name `", options.schema,
                                                   "` must be 1 to 63 letters, digits and `_`"));
  }
  absl::StatusOr<std::unique_ptr<PostgresWriter>> writer = PostgresWriter::Open(options);
  if (!writer.ok()) return Annotate(writer.status(), "opening the PostgreSQL store");
  auto store = std::make_unique<PostgresStore>(*std::move(writer));
  for (int i = 0; i < options.readers; ++i) {
    absl::StatusOr<std::unique_ptr<PostgresReader>> reader = PostgresReader::Open(options);
    if (!reader.ok()) return Annotate(reader.status(), "opening the PostgreSQL store to read");
    store->Add(*std::move(reader));
  }
  return store;
}

}  // namespace switchyard::scheduler
