#include "scheduler/store/sqlite_store.h"

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/lifecycle/directory_lock.h"
#include "common/status/error.h"
#include "common/sync/mutex.h"
#include "scheduler/store/pooled_reads_store.h"
#include "scheduler/store/sqlite_reader.h"
#include "scheduler/store/sqlite_writer.h"

namespace switchyard::scheduler {
namespace {

// Moves the write-ahead log into the file beside the commits, so that no commit pays for it (a
// commit would otherwise sync the file too once in a while: tens of milliseconds). Runs after
// commits only; sleeps otherwise.
class Checkpointer {
 public:
  explicit Checkpointer(SqliteDatabase database)
      : database_(std::move(database)), thread_([this] { Run(); }) {}
  ~Checkpointer() {
    {
      MutexLock lock(mutex_);
      stop_ = true;
      changed_.Signal();
    }
    thread_.join();
  }
  // `log_pages`: as the writer counts them.
  void Committed(int log_pages) {
    MutexLock lock(mutex_);
    if (log_pages < moved_at_) moved_at_ = 0;  // The log began anew.
    log_pages_ = log_pages;
    if (log_pages_ >= moved_at_ + kStep) changed_.Signal();
  }

 private:
  // Pages of new log that are worth a checkpoint: 8 MiB.
  static constexpr int kStep = 1024;

  void Run() {
    while (true) {
      {
        MutexLock lock(mutex_);
        while (!stop_ && log_pages_ < moved_at_ + kStep) changed_.Wait(mutex_);
        if (stop_) return;
        moved_at_ = log_pages_;
      }
      // A failure leaves the log as it is; the next commit that fails for the same cause reports
      // it.
      database_.CheckpointPassive().status().IgnoreError();
    }
  }

  Mutex mutex_;
  CondVar changed_;
  bool stop_ GUARDED_BY(mutex_) = false;
  int log_pages_ GUARDED_BY(mutex_) = 0;
  int moved_at_ GUARDED_BY(mutex_) = 0;  // Pages in the log when it was last moved.
  SqliteDatabase database_;              // Used by the thread alone.
  std::thread thread_;
};

class SqliteStore final : public PooledReadsStore<SqliteReader> {
 public:
  SqliteStore(std::unique_ptr<DirectoryLock> lock, std::unique_ptr<SqliteWriter> writer)
      : lock_(std::move(lock)), writer_(std::move(writer)) {}
  void StartCheckpointer(SqliteDatabase database) {
    checkpointer_ = std::make_unique<Checkpointer>(std::move(database));
  }

  absl::StatusOr<uint64_t> BumpEpoch() override { return writer_->BumpEpoch(); }
  absl::Status Commit(uint64_t epoch, const WriteBatch& batch) override {
    const absl::Status status = writer_->Commit(epoch, batch);
    if (checkpointer_ != nullptr) checkpointer_->Committed(writer_->log_pages());
    return status;
  }
  absl::StatusOr<int> RemoveExpiredRequests(int64_t now_ms, int max_scanned) override {
    return writer_->RemoveExpiredRequests(now_ms, max_scanned);
  }

 private:
  std::unique_ptr<DirectoryLock> lock_;  // First in, last out.
  std::unique_ptr<SqliteWriter> writer_;
  std::unique_ptr<Checkpointer> checkpointer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<JobStore>> OpenSqliteStore(const SqliteStoreOptions& options) {
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = DirectoryLock::Acquire(options.directory);
  if (!lock.ok()) return lock.status();
  const std::string path = absl::StrCat(options.directory, "/switchyard.db");
  absl::StatusOr<std::unique_ptr<SqliteWriter>> writer = SqliteWriter::Open(path);
  if (!writer.ok()) return Annotate(writer.status(), absl::StrCat("opening the store ", path));
  auto store = std::make_unique<SqliteStore>(*std::move(lock), *std::move(writer));
  for (int i = 0; i < options.readers; ++i) {
    absl::StatusOr<std::unique_ptr<SqliteReader>> reader = SqliteReader::Open(path);
    if (!reader.ok())
      return Annotate(reader.status(), absl::StrCat("opening the store ", path, " to read"));
    store->Add(*std::move(reader));
  }
  if (options.background_checkpoint) {
    absl::StatusOr<SqliteDatabase> database = SqliteDatabase::Open(path, /*read_only=*/false);
    if (!database.ok())
      return Annotate(database.status(), absl::StrCat("opening the store ", path));
    store->StartCheckpointer(*std::move(database));
  }
  return store;
}

}  // namespace switchyard::scheduler
