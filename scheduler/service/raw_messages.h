// Messages of methods that are served as bytes. Thread-safe: pure functions.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"

namespace switchyard::scheduler {

// INVALID_ARGUMENT when `bytes` is no such message.
template <typename Message>
absl::Status ReadRaw(const grpc::ByteBuffer& bytes, Message* message) {
  grpc::ByteBuffer shared(bytes);  // Deserialize empties its argument; this shares the slices.
  if (grpc::SerializationTraits<Message>::Deserialize(&shared, message).ok())
    return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument, "MALFORMED_MESSAGE",
                   absl::StrCat("the body is not a ", message->GetTypeName()));
}

template <typename Message>
grpc::ByteBuffer WriteRaw(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own_buffer;
  // Fails only past 2 GiB.
  (void)grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own_buffer);
  return bytes;
}

}  // namespace switchyard::scheduler
