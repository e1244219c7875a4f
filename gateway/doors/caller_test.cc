#include "gateway/doors/caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/doors/json/sse.h"

namespace switchyard::gateway {
namespace {

using ::testing::MatchesRegex;

class FixedIds final : public RandomIds {
 public:
  std::string Hex(int bytes) override { return std::string(2 * bytes, 'e'); }
};

TEST(Caller, UuidIsVersion4) {
  EXPECT_THAT(SystemRandomIds().Uuid(),
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(SystemRandomIds().Uuid(), SystemRandomIds().Uuid());
}

TEST(Caller, ContinuesAGoodTrace) {
  FixedIds ids;
  const std::string id = "0af7651916cd43dd8448eb211c80319c";
  const Trace trace = ContinueTrace("00-" + id + "-b7ad6b7169203331-01", ids);
  EXPECT_TRUE(trace.continued);
  EXPECT_EQ(trace.traceparent(), "00-" + id + "-eeeeeeeeeeeeeeee-01");
  EXPECT_FALSE(ContinueTrace("00-" + id + "-b7ad6b7169203331-00", ids).sampled);
  // A later version: the first four fields count.
  EXPECT_EQ(ContinueTrace("cc-" + id + "-b7ad6b7169203331-01-what-ever", ids).trace_id, id);
}

TEST(Caller, ABadTraceStartsANewOne) {
  FixedIds ids;
  for (const char* bad :
       {"", "x", "00-0-0-0", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(ContinueTrace(bad, ids).continued) << bad;
  }
  EXPECT_EQ(ContinueTrace(absl::string_view(), ids).trace_id, std::string(32, 'e'));
}

TEST(Caller, RequestIdsAreKeptWhenHarmless) {
  FixedIds ids;
  EXPECT_EQ(AcceptRequestId("a-1.b_c:d", ids), "a-1.b_c:d");
  EXPECT_EQ(AcceptRequestId("a b", ids), "eeeeeeeeeeeeeeee");
  EXPECT_EQ(AcceptRequestId(std::string(129, 'a'), ids), "eeeeeeeeeeeeeeee");
}

TEST(Caller, TimeoutsAsOnGrpcsWire) {
  EXPECT_EQ(ParseGrpcTimeout("100m"), absl::Milliseconds(100));
  EXPECT_EQ(ParseGrpcTimeout("2S"), absl::Seconds(2));
  for (const char* bad : {"", "5", "S", "-1S", "1x", "123456789S", "1.5S"}) {
    EXPECT_FALSE(ParseGrpcTimeout(bad).has_value()) << bad;
  }
}

TEST(Sse, FramesAnEvent) {
  EXPECT_EQ(SseEvent("1.0.2", "state", R"({"a":1})"),
            "id: 1.0.2\nevent: state\ndata: {\"a\":1}\n\n");
  EXPECT_EQ(SseEvent("", "", "x\ny"), "data: x\ndata: y\n\n");
  // An id that would break the framing is left out.
  EXPECT_EQ(SseEvent("a\nb", "e", "x"), "event: e\ndata: x\n\n");
  EXPECT_EQ(SseComment("heartbeat"), ": heartbeat\n\n");
  EXPECT_EQ(SseRetry(2000), "retry: 2000\n\n");
}

}  // namespace
}  // namespace switchyard::gateway
