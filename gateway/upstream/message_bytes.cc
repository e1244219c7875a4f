#include "gateway/upstream/message_bytes.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"

namespace switchyard::gateway {

grpc::ByteBuffer ToBytes(const google::protobuf::Message& message) {
  const size_t size = message.ByteSizeLong();
  const grpc::Slice slice(size);
  // A new slice is nobody else's yet.
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

absl::StatusOr<std::unique_ptr<google::protobuf::Message>> FromBytes(
    const grpc::ByteBuffer& bytes, const google::protobuf::Message& prototype) {
  std::unique_ptr<google::protobuf::Message> message(prototype.New());
  grpc::ByteBuffer copy(bytes);
  grpc::ProtoBufferReader reader(&copy);
  if (reader.status().ok() && message->ParseFromZeroCopyStream(&reader)) return message;
  return absl::InternalError(
      absl::StrCat("the answer is no ", prototype.GetDescriptor()->full_name()));
}

grpc::ByteBuffer WithDefaultString(const grpc::ByteBuffer& message, int field_number,
                                   absl::string_view value) {
  std::string front;
  {
    google::protobuf::io::StringOutputStream stream(&front);
    google::protobuf::io::CodedOutputStream out(&stream);
    constexpr uint32_t kLengthDelimited = 2;
    out.WriteVarint32(static_cast<uint32_t>(field_number) << 3 | kLengthDelimited);
    out.WriteVarint32(value.size());
    out.WriteRaw(value.data(), value.size());
  }
  std::vector<grpc::Slice> slices;
  if (!message.Dump(&slices).ok()) return message;
  slices.insert(slices.begin(), grpc::Slice(front));
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace switchyard::gateway
