#include "tests/bench/payload.h"

#include "gtest/gtest.h"
#include "tests/bench/report.h"

namespace switchyard::bench {
namespace {

TEST(Payload, CarriesItsNumber) {
  EXPECT_EQ(MakePayload(12345).size(), kPayloadBytes);
  EXPECT_EQ(CheckPayload(MakePayload(12345)), 12345u);
}

TEST(Payload, AChangedByteIsSeen) {
  for (size_t i = 0; i < kPayloadBytes; ++i) {
    std::string payload = MakePayload(7);
    payload[i] ^= 1;
    EXPECT_EQ(CheckPayload(payload), std::nullopt) << i;
  }
  EXPECT_EQ(CheckPayload("short"), std::nullopt);
}

TEST(Report, KeepsTheShapeThatProgramsRead) {
  Report report;
  report.Add({"start_ms", 12.5, "ms", "a \"quoted\" word"});
  EXPECT_EQ(
      report.Json(),
      "{\"rows\":[\n {\"name\":\"start_ms\",\"value\":12.5,\"unit\":\"ms\",\"conditions\":\"a "
      "\\\"quoted\\\" word\"}\n]}\n");
}

TEST(Report, PercentilesAreValuesOfTheList) {
  std::vector<double> values = {5, 1, 3, 2, 4};
  EXPECT_EQ(Percentile(values, 0.5), 3);
  EXPECT_EQ(Percentile(values, 0.99), 5);
  EXPECT_EQ(Percentile(values, 0), 1);
}

}  // namespace
}  // namespace switchyard::bench
