#include "worker/tasks/command/line_protocol.h"

#include <gtest/gtest.h>

namespace switchyard::worker {
namespace {

template <typename Line>
Line Parsed(absl::string_view text) {
  const std::optional<ProtocolLine> line = ParseProtocolLine(text);
  if (!line.has_value() || !std::holds_alternative<Line>(*line)) {
    ADD_FAILURE() << text;
    return {};
  }
  return std::get<Line>(*line);
}

TEST(LineProtocol, ProgressIsAFractionAndAMessage) {
  const auto line = Parsed<ProgressLine>("::progress 0.42 epoch 3 of 7");
  EXPECT_EQ(line.fraction, 0.42);
  EXPECT_EQ(line.message, "epoch 3 of 7");
  EXPECT_EQ(Parsed<ProgressLine>("::progress 1").message, "");
}

TEST(LineProtocol, AMetricIsANameAStepAndAValue) {
  const auto line = Parsed<MetricLine>("::metric train/loss 12 3.5e-2");
  EXPECT_EQ(line.name, "train/loss");
  EXPECT_EQ(line.step, 12u);
  EXPECT_EQ(line.value, 0.035);
}

TEST(LineProtocol, AnOutputMayHaveSpacesInItsPath) {
  const auto line = Parsed<OutputLine>("::output model.pt out/the best one.pt");
  EXPECT_EQ(line.name, "model.pt");
  EXPECT_EQ(line.path, "out/the best one.pt");
}

TEST(LineProtocol, ACheckpointStandsAlone) { Parsed<CheckpointLine>("::checkpoint"); }

TEST(LineProtocol, WhatIsMalformedIsAnOrdinaryLine) {
  for (const char* text : {"",
                           "::",
                           "progress 0.5",
                           ":: progressive",
                           "::progress",
                           "::progress 1.5",
                           "::progress -0.1",
                           "::progress nan",
                           "::progress x",
                           "::metric",
                           "::metric a",
                           "::metric a 1",
                           "::metric a -1 2",
                           "::metric a 1 inf",
                           "::metric a 1 2 3",
                           "::output a",
                           "::output a /etc/x",
                           "::output a ../x",
                           "::output a/b x",
                           "::output checkpoint x",
                           "::checkpoint now",
                           "::unknown 1",
                           " ::checkpoint"}) {
    EXPECT_FALSE(ParseProtocolLine(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace switchyard::worker
