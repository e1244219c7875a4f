#include "common/status/error.h"

#include "gtest/gtest.h"

namespace switchyard {
namespace {

TEST(Error, CarriesItsDetailsToTheWireAndBack) {
  const absl::Status error =
      InvalidFields({{"job.priority", "must be 1 to 9"}, {"job.device", "unknown"}});
  const google::rpc::Status wire = ToProto(error);
  ASSERT_EQ(wire.details_size(), 2);
  EXPECT_EQ(FromProto(wire), error);
}

TEST(Error, NamesEveryFieldAtOnce) {
  const google::rpc::Status wire =
      ToProto(InvalidFields({{"job.priority", "must be 1 to 9"}, {"job.device", "unknown"}}));
  google::rpc::BadRequest bad_request;
  for (const auto& detail : wire.details()) {
    if (detail.Is<google::rpc::BadRequest>()) detail.UnpackTo(&bad_request);
  }
  ASSERT_EQ(bad_request.field_violations_size(), 2);
  EXPECT_EQ(bad_request.field_violations(1).field(), "job.device");
}

TEST(Error, AnnotateKeepsCodeAndDetails) {
  const absl::Status error = Annotate(NotFound("model", "digits"), "job 3");
  EXPECT_EQ(error.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(error.message(), "job 3: model \"digits\" does not exist");
  EXPECT_EQ(ToProto(error).details_size(), 2);
}

}  // namespace
}  // namespace switchyard
