// Messages to and from gRPC's byte buffers. Thread-safe: pure functions.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace switchyard::gateway {

grpc::ByteBuffer ToBytes(const google::protobuf::Message& message);

// INTERNAL when the bytes are no message of `prototype`'s type.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> FromBytes(
    const grpc::ByteBuffer& bytes, const google::protobuf::Message& prototype);

// The serialised message with a string field put in front: a value that the message itself holds
// wins, since it comes later on the wire. So a default is given without parsing.
grpc::ByteBuffer WithDefaultString(const grpc::ByteBuffer& message, int field_number,
                                   absl::string_view value);

}  // namespace switchyard::gateway
