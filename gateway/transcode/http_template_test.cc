#include "gateway/transcode/http_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::optional<PathValues> Match(absl::string_view text, absl::string_view path) {
  const auto parsed = HttpTemplate::Parse(text);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  const auto split = SplitRequestPath(path);
  EXPECT_TRUE(split.ok()) << split.status();
  return parsed->Match(*split);
}

TEST(HttpTemplate, VariableTakesOneSegment) {
  EXPECT_THAT(*Match("/v1/jobs/{job}", "/v1/jobs/abc"), ElementsAre(Pair("job", "abc")));
  EXPECT_FALSE(Match("/v1/jobs/{job}", "/v1/jobs/abc/events").has_value());
  EXPECT_FALSE(Match("/v1/jobs/{job}", "/v1/jobs").has_value());
  EXPECT_FALSE(Match("/v1/jobs/{job}", "/v1/jobs/").has_value());
}

TEST(HttpTemplate, VerbIsPartOfThePath) {
  EXPECT_THAT(*Match("/v1/jobs/{job}:cancel", "/v1/jobs/abc:cancel"),
              ElementsAre(Pair("job", "abc")));
  EXPECT_FALSE(Match("/v1/jobs/{job}:cancel", "/v1/jobs/abc").has_value());
  EXPECT_FALSE(Match("/v1/jobs/{job}", "/v1/jobs/abc:cancel").has_value());
  EXPECT_TRUE(Match("/v1/jobs:batch", "/v1/jobs:batch").has_value());
}

TEST(HttpTemplate, EscapedColonIsNoVerb) {
  EXPECT_THAT(*Match("/v1/jobs/{job}", "/v1/jobs/abc%3Acancel"),
              ElementsAre(Pair("job", "abc:cancel")));
}

TEST(HttpTemplate, PatternInVariable) {
  EXPECT_THAT(*Match("/v1/{name=shelves/*/books/*}", "/v1/shelves/a/books/b"),
              ElementsAre(Pair("name", "shelves/a/books/b")));
  EXPECT_FALSE(Match("/v1/{name=shelves/*}", "/v1/tables/a").has_value());
  EXPECT_THAT(*Match("/v1/{job.id}/x", "/v1/7/x"), ElementsAre(Pair("job.id", "7")));
}

TEST(HttpTemplate, RestTakesAnyNumberOfSegments) {
  EXPECT_THAT(*Match("/files/{path=**}", "/files/a/b/c"), ElementsAre(Pair("path", "a/b/c")));
  EXPECT_THAT(*Match("/files/{path=**}:get", "/files/a/b:get"), ElementsAre(Pair("path", "a/b")));
}

TEST(HttpTemplate, OneSegmentDecodesSlashesSeveralKeepThem) {
  EXPECT_THAT(*Match("/v1/{x}", "/v1/a%2Fb%20c"), ElementsAre(Pair("x", "a/b c")));
  EXPECT_THAT(*Match("/v1/{x=**}", "/v1/a%2Fb/c%20d"), ElementsAre(Pair("x", "a%2Fb/c d")));
}

TEST(HttpTemplate, EscapedLiteralsMatch) {
  EXPECT_TRUE(Match("/v1/jobs", "/v1/%6Aobs").has_value());
}

TEST(HttpTemplate, BrokenTemplatesAreRefused) {
  for (const char* text : {"v1/jobs", "/v1//x", "/v1/{x", "/v1/{}", "/v1/{a={b}}", "/v1/**/x",
                           "/v1/{x}/{x}", "/v1/x}"}) {
    EXPECT_FALSE(HttpTemplate::Parse(text).ok()) << text;
  }
  EXPECT_THAT(std::string(HttpTemplate::Parse("/a/{b").status().message()),
              HasSubstr("} expected"));
}

TEST(HttpTemplate, BrokenPathsAreRefused) {
  for (const char* path : {"", "jobs", "/a%", "/a%2", "/a%zz", "/a%00"}) {
    EXPECT_FALSE(SplitRequestPath(path).ok()) << path;
  }
}

TEST(HttpTemplate, LiteralsWinOverVariables) {
  const auto literal = HttpTemplate::Parse("/v1/jobs/latest");
  const auto variable = HttpTemplate::Parse("/v1/jobs/{job}");
  EXPECT_TRUE(literal->MoreSpecificThan(*variable));
  EXPECT_FALSE(variable->MoreSpecificThan(*literal));
  EXPECT_EQ(HttpTemplate::Parse("/a/{x=b/*}:go")->OpenApiPath(), "/a/{x}:go");
  EXPECT_EQ(HttpTemplate::Parse("/a/{x=b/*}:go")->Shape(), "/a/b/*:go");
}

}  // namespace
}  // namespace switchyard::gateway
