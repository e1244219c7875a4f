#include "worker/framing/frame.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace switchyard::worker {
namespace {

constexpr size_t kHeaderBytes = 4;
constexpr size_t kChunkBytes = 256 << 10;
// How long the sending thread sleeps in poll before it looks whether it shall stop.
constexpr int kPollMs = 100;

void StoreLength(uint32_t length, char* bytes) {
  for (size_t i = 0; i < kHeaderBytes; ++i) bytes[i] = static_cast<char>(length >> (8 * i));
}

uint32_t LoadLength(const char* bytes) {
  uint32_t length = 0;
  for (size_t i = 0; i < kHeaderBytes; ++i)
    length |= uint32_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return length;
}

}  // namespace

void AppendFrame(const google::protobuf::MessageLite& message, std::string* out) {
  const size_t size = message.ByteSizeLong();
  const size_t begin = out->size();
  out->resize(begin + kHeaderBytes + size);
  char* bytes = out->data() + begin;
  StoreLength(static_cast<uint32_t>(size), bytes);
  message.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(bytes + kHeaderBytes));
}

void FrameParser::Append(absl::string_view bytes) {
  if (begin_ == buffer_.size()) {
    buffer_.clear();
    begin_ = 0;
  } else if (begin_ > kChunkBytes) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes.data(), bytes.size());
}

absl::StatusOr<bool> FrameParser::Next(google::protobuf::MessageLite* message) {
  const size_t available = buffer_.size() - begin_;
  if (available < kHeaderBytes) return false;
  const char* bytes = buffer_.data() + begin_;
  const uint32_t size = LoadLength(bytes);
  if (size > kMaxFrameBytes) {
    return absl::DataLossError(
        absl::StrCat("a frame of ", size, " bytes; at most ", kMaxFrameBytes, " are allowed"));
  }
  if (available < kHeaderBytes + size) return false;
  if (!message->ParseFromArray(bytes + kHeaderBytes, static_cast<int>(size))) {
    return absl::DataLossError("a frame that is not the expected message");
  }
  begin_ += kHeaderBytes + size;
  return true;
}

FrameReader::FrameReader(int fd) : fd_(fd) { chunk_.resize(kChunkBytes); }

absl::StatusOr<bool> FrameReader::Read(google::protobuf::MessageLite* message) {
  while (true) {
    absl::StatusOr<bool> have = parser_.Next(message);
    if (!have.ok() || *have) return have;
    ssize_t size;
    do {
      size = read(fd_, chunk_.data(), chunk_.size());
    } while (size < 0 && errno == EINTR);
    // A reset is the end as well: the other process was killed with bytes unread.
    if (size <= 0) return false;
    parser_.Append(absl::string_view(chunk_.data(), static_cast<size_t>(size)));
  }
}

FrameSender::FrameSender(int fd) : fd_(fd), later_([this] { FinishLater(); }) {}

FrameSender::~FrameSender() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.SignalAll();
  later_.join();
}

void FrameSender::Send(const google::protobuf::MessageLite& message) {
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    AppendFrame(message, &pending_);
    if (writing_) return;
    writing_ = true;
  }
  WriteSome();
}

// REQUIRES: the caller set writing_. Writes what there is until nothing is left or the socket takes
// no more.
void FrameSender::WriteSome() {
  while (true) {
    if (written_ == out_.size()) {
      out_.clear();
      written_ = 0;
      MutexLock lock(mutex_);
      if (pending_.empty() || closed_) {
        writing_ = false;
        changed_.SignalAll();
        return;
      }
      out_.swap(pending_);
    }
    const ssize_t size =
        send(fd_, out_.data() + written_, out_.size() - written_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) {
      written_ += static_cast<size_t>(size);
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    MutexLock lock(mutex_);
    if (error == EAGAIN || error == EWOULDBLOCK) {
      blocked_ = true;
    } else {
      closed_ = true;
      writing_ = false;
      pending_.clear();
    }
    changed_.SignalAll();
    return;
  }
}

void FrameSender::FinishLater() {
  while (true) {
    {
      MutexLock lock(mutex_);
      while (!blocked_ && !stopping_) changed_.Wait(mutex_);
      if (stopping_) return;
    }
    pollfd wait{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (poll(&wait, 1, kPollMs) <= 0) continue;
    {
      MutexLock lock(mutex_);
      blocked_ = false;
    }
    WriteSome();
  }
}

void FrameSender::Flush() {
  MutexLock lock(mutex_);
  while (writing_ && !closed_ && !stopping_) changed_.Wait(mutex_);
}

}  // namespace switchyard::worker
