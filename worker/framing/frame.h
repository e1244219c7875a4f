// Frames on a stream socket: 4 bytes little-endian length, then one protobuf message. Used by both
// ends of the socket pair between daemon and runner.
#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"
#include "google/protobuf/message_lite.h"

namespace switchyard::worker {

// Longest message a frame may hold. An assignment holds at most 64 KiB of inline data and there are
// at most some hundred in a frame.
inline constexpr uint32_t kMaxFrameBytes = 64u << 20;

// Adds `message` as one frame. REQUIRES: its size is at most kMaxFrameBytes.
void AppendFrame(const google::protobuf::MessageLite& message, std::string* out);

// Takes frames out of bytes as they come. Not thread-safe.
class FrameParser {
 public:
  void Append(absl::string_view bytes);
  // True and `message` filled when a whole frame was there; false when more bytes are needed.
  // DATA_LOSS when what stands there is no frame; the stream is then useless.
  absl::StatusOr<bool> Next(google::protobuf::MessageLite* message);

 private:
  std::string buffer_;
  size_t begin_ = 0;  // Bytes before it are used up.
};

// Reads frames of a descriptor it does not own. Used by one thread.
class FrameReader {
 public:
  explicit FrameReader(int fd);
  // Waits for the next frame. False at the end of the stream (or when the other side is gone).
  // DATA_LOSS as above.
  absl::StatusOr<bool> Read(google::protobuf::MessageLite* message);

 private:
  const int fd_;
  FrameParser parser_;
  std::string chunk_;
};

// Writes frames to a descriptor it does not own, never blocking its callers: bytes go out at once
// when the socket takes them, else a thread sends them on. Frames sent while a write is under way
// go out together in the next write. Thread-safe; frames keep the order of the Send calls. After
// the other side is gone frames are dropped: its reader sees the end.
class FrameSender {
 public:
  explicit FrameSender(int fd);
  // Does not wait for what is still to be written. The descriptor must be open until then.
  ~FrameSender();
  void Send(const google::protobuf::MessageLite& message);
  // Waits until all is written or the other side is gone.
  void Flush();

 private:
  void WriteSome() EXCLUDES(mutex_);
  void FinishLater();

  const int fd_;
  Mutex mutex_;
  CondVar changed_;
  std::string pending_ GUARDED_BY(mutex_);
  bool writing_ GUARDED_BY(mutex_) = false;  // One thread writes at a time.
  bool blocked_ GUARDED_BY(mutex_) = false;  // The thread is to go on.
  bool closed_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::string out_;     // Owned by whoever set writing_.
  size_t written_ = 0;  // Of out_.
  std::thread later_;
};

}  // namespace switchyard::worker
