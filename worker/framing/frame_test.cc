#include "worker/framing/frame.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "switchyard/worker/v1/runner.pb.h"

namespace switchyard::worker {
namespace {

using ::switchyard::worker::v1::FromRunner;
using ::switchyard::worker::v1::ToRunner;

ToRunner Start(uint64_t job, size_t bytes) {
  ToRunner frame;
  auto* assignment = frame.add_start();
  assignment->mutable_ref()->set_job(job);
  assignment->set_job(std::string(bytes, 'x'));
  return frame;
}

class SocketPair {
 public:
  SocketPair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds_), 0); }
  ~SocketPair() {
    CloseNear();
    close(fds_[1]);
  }
  void CloseNear() {
    if (fds_[0] >= 0) close(fds_[0]);
    fds_[0] = -1;
  }
  int near() const { return fds_[0]; }
  int far() const { return fds_[1]; }

 private:
  int fds_[2];
};

TEST(FrameParser, GivesAFrameOnlyWhenItIsWhole) {
  std::string bytes;
  AppendFrame(Start(7, 10), &bytes);
  AppendFrame(Start(8, 0), &bytes);
  FrameParser parser;
  ToRunner frame;
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    parser.Append(absl::string_view(bytes).substr(i, 1));
    const auto have = parser.Next(&frame);
    ASSERT_TRUE(have.ok());
    if (*have) {
      EXPECT_EQ(frame.start(0).ref().job(), 7u);
    }
  }
  parser.Append(absl::string_view(bytes).substr(bytes.size() - 1));
  ASSERT_TRUE(*parser.Next(&frame));
  EXPECT_EQ(frame.start(0).ref().job(), 8u);
  EXPECT_FALSE(*parser.Next(&frame));
}

TEST(FrameParser, RefusesALengthAboveTheLimit) {
  FrameParser parser;
  parser.Append(absl::string_view("\xff\xff\xff\x7f....", 8));
  ToRunner frame;
  EXPECT_EQ(parser.Next(&frame).status().code(), absl::StatusCode::kDataLoss);
}

TEST(FrameParser, RefusesBytesThatAreNoMessage) {
  FrameParser parser;
  parser.Append(absl::string_view("\x02\0\0\0\xff\xff", 6));
  ToRunner frame;
  EXPECT_EQ(parser.Next(&frame).status().code(), absl::StatusCode::kDataLoss);
}

TEST(FrameSender, KeepsOrderAndNeverBlocksItsCallerOnAFullSocket) {
  SocketPair pair;
  FrameSender sender(pair.near());
  // More than a socket buffer takes, with nobody reading yet.
  constexpr uint64_t kFrames = 400;
  for (uint64_t i = 1; i <= kFrames; ++i) sender.Send(Start(i, 10'000));
  FrameReader reader(pair.far());
  for (uint64_t i = 1; i <= kFrames; ++i) {
    ToRunner frame;
    ASSERT_TRUE(*reader.Read(&frame));
    ASSERT_EQ(frame.start(0).ref().job(), i);
  }
  sender.Flush();
}

TEST(FrameSender, DropsFramesWhenTheOtherSideIsGone) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  close(fds[1]);
  FrameSender sender(fds[0]);
  sender.Send(Start(1, 10));
  sender.Send(Start(2, 10));
  sender.Flush();
  close(fds[0]);
}

TEST(FrameReader, SeesTheEndOfTheStream) {
  SocketPair pair;
  {
    FrameSender sender(pair.near());
    sender.Send(Start(1, 10));
    sender.Flush();
  }
  pair.CloseNear();
  FrameReader reader(pair.far());
  ToRunner frame;
  EXPECT_TRUE(*reader.Read(&frame));
  EXPECT_FALSE(*reader.Read(&frame));
}

}  // namespace
}  // namespace switchyard::worker
