// std::mutex with clang's thread-safety annotations. Used instead of absl::Mutex because Debian's
// Abseil is not built for the thread sanitizer, which then reports races that are none.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SWITCHYARD_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define SWITCHYARD_THREAD_ANNOTATION(x)
#endif

#define CAPABILITY(x) SWITCHYARD_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY SWITCHYARD_THREAD_ANNOTATION(scoped_lockable)
#ifndef GUARDED_BY
#define GUARDED_BY(x) SWITCHYARD_THREAD_ANNOTATION(guarded_by(x))
#endif
#define REQUIRES(...) SWITCHYARD_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) SWITCHYARD_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) SWITCHYARD_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) SWITCHYARD_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#ifndef NO_THREAD_SAFETY_ANALYSIS
#define NO_THREAD_SAFETY_ANALYSIS SWITCHYARD_THREAD_ANNOTATION(no_thread_safety_analysis)
#endif

namespace switchyard {

class CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// REQUIRES of every wait: `mutex` is held. Wakes spuriously: wait in a loop over the condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when the time was over first.
  bool WaitFor(Mutex& mutex, std::chrono::nanoseconds timeout) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool woken = condition_.wait_for(lock, timeout) == std::cv_status::no_timeout;
    lock.release();
    return woken;
  }
  void Signal() { condition_.notify_one(); }
  void SignalAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace switchyard
