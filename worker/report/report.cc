#include "worker/report/report.h"

#include "common/status/error.h"

namespace switchyard::worker {
namespace {

constexpr char kOutOfMemory[] = "OUT_OF_MEMORY";

}  // namespace

google::protobuf::Timestamp TimestampOf(absl::Time time) {
  const int64_t nanos = absl::ToUnixNanos(time);
  google::protobuf::Timestamp proto;
  proto.set_seconds(nanos / 1'000'000'000);
  proto.set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  return proto;
}

google::protobuf::Duration DurationOf(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

absl::Duration DurationFrom(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

bool IsPermanent(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

bool IsOutOfMemory(const absl::Status& error) {
  if (error.code() != absl::StatusCode::kResourceExhausted) return false;
  const google::rpc::Status proto = ToProto(error);
  for (const auto& detail : proto.details()) {
    google::rpc::ErrorInfo info;
    if (detail.UnpackTo(&info) && info.reason() == kOutOfMemory) return true;
  }
  return false;
}

absl::Status OutOfMemoryError(absl::string_view what) {
  return MakeError(absl::StatusCode::kResourceExhausted, kOutOfMemory, what);
}

void SetFailed(const absl::Status& error, ::switchyard::worker::v1::Finished* finished) {
  finished->set_outcome(::switchyard::v1::Attempt::FAILED);
  *finished->mutable_error() = ToProto(error);
  finished->set_permanent(IsPermanent(error));
  finished->set_out_of_memory(IsOutOfMemory(error));
}

void SetCancelled(::switchyard::worker::v1::Finished* finished) {
  finished->set_outcome(::switchyard::v1::Attempt::CANCELLED);
}

}  // namespace switchyard::worker
