#include "worker/tasks/train/sample_set.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <new>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "common/sync/mutex.h"

namespace switchyard::worker {
namespace {

// Share of an attempt's memory that samples may keep, where both are one memory.
constexpr int64_t kCacheShare = 4;

// How many samples are kept: as many as fit `max_bytes` and, on a cpu, the attempt's memory.
size_t CacheableSamples(AttemptContext& context, size_t samples, int64_t sample_bytes,
                        int64_t max_bytes) {
  const bool shared = context.device().device == "cpu";
  const int64_t limit = context.memory_limit_bytes();
  if (shared && limit > 0) max_bytes = std::min(max_bytes, limit / kCacheShare);
  const size_t kept = std::min(samples, static_cast<size_t>(max_bytes / sample_bytes));
  const bool fits = !shared || context.KeepMemory(static_cast<int64_t>(kept) * sample_bytes);
  return fits ? kept : 0;
}

// Renders all samples on several threads. The first error by order of the samples wins, so that it
// is the same each time.
class Loading {
 public:
  Loading(AttemptContext& context, const FileTree& tree, const std::vector<Sample>& samples,
          const InputShape& shape, int64_t max_cached_bytes)
      : context_(context),
        tree_(tree),
        samples_(samples),
        shape_(shape),
        most_cached_(CacheableSamples(context, samples.size(), static_cast<int64_t>(shape.bytes()),
                                      max_cached_bytes)),
        cache_(samples.size()) {}

  absl::StatusOr<std::vector<std::vector<uint8_t>>> Run() {
    std::vector<std::thread> threads;
    for (int i = 1; i < context_.device().threads; ++i) threads.emplace_back([this] { Work(); });
    Work();
    for (std::thread& thread : threads) thread.join();
    if (context_.Cancelled()) return absl::CancelledError("cancelled while reading the data");
    if (!error_.ok()) return error_;
    return std::move(cache_);
  }

 private:
  void Work() {
    while (!context_.Cancelled()) {
      const size_t i = next_++;
      if (i >= samples_.size()) return;
      absl::StatusOr<std::vector<uint8_t>> pixels = Render(i);
      if (!pixels.ok()) {
        Fail(i, pixels.status());
        return;
      }
      if (i < most_cached_) cache_[i] = *std::move(pixels);
      if (i % 256 == 0) {
        context_.Progress(
            kReadingShare * static_cast<double>(i) / static_cast<double>(samples_.size()),
            absl::StrCat("reading sample ", i + 1, " of ", samples_.size()));
      }
    }
  }

  // What is thrown on a thread of ours would end the process.
  absl::StatusOr<std::vector<uint8_t>> Render(size_t i) const {
    try {
      return RenderSample(tree_, samples_[i], shape_);
    } catch (const std::bad_alloc&) {
      return MakeError(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY",
                       absl::StrCat("memory ran out while '", samples_[i].name, "' was read"));
    }
  }

  // Samples are handed out in order, so all before the first failing one are still finished by
  // their threads.
  void Fail(size_t i, const absl::Status& status) {
    MutexLock lock(mutex_);
    if (!error_.ok() && failed_ < i) return;
    error_ = status;
    failed_ = i;
    next_ = samples_.size();
  }

  AttemptContext& context_;
  const FileTree& tree_;
  const std::vector<Sample>& samples_;
  const InputShape shape_;
  const size_t most_cached_;
  std::atomic<size_t> next_{0};
  std::vector<std::vector<uint8_t>> cache_;
  Mutex mutex_;
  absl::Status error_ GUARDED_BY(mutex_);
  size_t failed_ GUARDED_BY(mutex_) = 0;
};

}  // namespace

absl::StatusOr<SampleSet> SampleSet::Load(AttemptContext& context, std::shared_ptr<FileTree> tree,
                                          std::vector<Sample> samples, std::vector<int32_t> labels,
                                          const InputShape& shape, int64_t max_cached_bytes) {
  SampleSet set;
  auto cache = Loading(context, *tree, samples, shape, max_cached_bytes).Run();
  if (!cache.ok()) return cache.status();
  set.cache_ = *std::move(cache);
  set.tree_ = std::move(tree);
  set.samples_ = std::move(samples);
  set.labels_ = std::move(labels);
  set.shape_ = shape;
  return set;
}

absl::Status SampleSet::AppendPixels(uint32_t i, std::vector<uint8_t>& out) const {
  if (!cache_[i].empty()) {
    out.insert(out.end(), cache_[i].begin(), cache_[i].end());
    return absl::OkStatus();
  }
  const absl::StatusOr<std::vector<uint8_t>> pixels = RenderSample(*tree_, samples_[i], shape_);
  if (pixels.ok()) out.insert(out.end(), pixels->begin(), pixels->end());
  return pixels.status();
}

absl::StatusOr<ChannelStatistics> SampleSet::Statistics(
    const std::vector<uint32_t>& indices) const {
  const size_t plane = static_cast<size_t>(shape_.image_size) * shape_.image_size;
  // Integers: the sums are exact, whatever the order.
  std::vector<uint64_t> sums(shape_.channels);
  std::vector<uint64_t> squares(shape_.channels);
  std::vector<uint8_t> pixels;
  for (const uint32_t i : indices) {
    pixels.clear();
    const absl::Status status = AppendPixels(i, pixels);
    if (!status.ok()) return status;
    for (size_t k = 0; k < pixels.size(); ++k) {
      sums[k / plane] += pixels[k];
      squares[k / plane] += static_cast<uint64_t>(pixels[k]) * pixels[k];
    }
  }
  ChannelStatistics statistics;
  const double count = static_cast<double>(plane) * static_cast<double>(indices.size());
  for (int channel = 0; channel < shape_.channels; ++channel) {
    const double mean = static_cast<double>(sums[channel]) / count;
    const double variance = static_cast<double>(squares[channel]) / count - mean * mean;
    const double deviation = std::sqrt(std::max(0.0, variance)) / 255;
    statistics.mean.push_back(static_cast<float>(mean / 255));
    statistics.standard_deviation.push_back(deviation < 1e-3 ? 1.0f
                                                             : static_cast<float>(deviation));
  }
  return statistics;
}

}  // namespace switchyard::worker
