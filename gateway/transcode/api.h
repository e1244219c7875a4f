// The public API as the gateway knows it: what descriptors and their options say, resolved once at
// start. There is no code per method anywhere in the gateway; whatever a method needs beyond
// google.api.http is an option of protos/switchyard/v1/options.
//
// Immutable after Build; thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/transcode/http_template.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace switchyard::gateway {

// Raw bytes instead of JSON (StreamedBody). A null field: that direction is JSON, or it is not
// told.
struct RawBody {
  const google::protobuf::FieldDescriptor* request_data = nullptr;
  const google::protobuf::FieldDescriptor* response_data = nullptr;
  const google::protobuf::FieldDescriptor* response_media_type = nullptr;
  const google::protobuf::FieldDescriptor* response_length = nullptr;
  // Of downloads that understand ETag and Range.
  const google::protobuf::FieldDescriptor* request_etag = nullptr;
  const google::protobuf::FieldDescriptor* request_offset = nullptr;
  const google::protobuf::FieldDescriptor* request_length = nullptr;
  const google::protobuf::FieldDescriptor* response_offset = nullptr;
  const google::protobuf::FieldDescriptor* response_range = nullptr;
};

// A server stream offered as server-sent events (EventStream). Fields may be null.
struct EventForm {
  const google::protobuf::FieldDescriptor* id = nullptr;
  const google::protobuf::OneofDescriptor* event = nullptr;
  const google::protobuf::FieldDescriptor* resume = nullptr;
};

struct Method {
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  // `/switchyard.v1.JobService/GetJob`.
  std::string grpc_path;
  const google::protobuf::Message* request = nullptr;  // Prototypes; live for ever.
  const google::protobuf::Message* response = nullptr;
  // Request fields with a meaning of their own; null when the request has none.
  const google::protobuf::FieldDescriptor* request_id = nullptr;   // string request_id
  const google::protobuf::FieldDescriptor* update_mask = nullptr;  // FieldMask update_mask
  const google::protobuf::FieldDescriptor* timeout =
      nullptr;  // Duration timeout: the call may take that long.
  // Changes nothing (its HTTP rule is a GET): may be repeated freely.
  bool reads = false;
  int success_status = 200;
  RawBody raw;
  EventForm events;
  bool has_raw_body = false;

  bool client_streaming() const { return descriptor->client_streaming(); }
  bool server_streaming() const { return descriptor->server_streaming(); }
};

// One HTTP rule of a method.
struct Binding {
  const Method* method = nullptr;
  std::string verb;  // GET, POST, ...
  HttpTemplate path;
  // Whole: everything not in the path comes from the body. Else `body` (null: no body; the query
  // has the rest).
  bool whole_body = false;
  const google::protobuf::FieldDescriptor* body = nullptr;
  const google::protobuf::FieldDescriptor* response_body = nullptr;  // Null: the whole response.
};

class Api {
 public:
  // INVALID_ARGUMENT when an option names a field that is not there, a template does not parse, or
  // two rules match the same.
  static absl::StatusOr<std::unique_ptr<Api>> Build(
      const std::vector<const google::protobuf::ServiceDescriptor*>& services);

  // Tried in this order: the more specific first.
  const std::vector<Binding>& bindings() const { return bindings_; }
  const std::vector<const google::protobuf::ServiceDescriptor*>& services() const {
    return services_;
  }
  // Null when the method is not public.
  const Method* FindByGrpcPath(absl::string_view path) const;

 private:
  absl::Status AddService(const google::protobuf::ServiceDescriptor* service);
  absl::Status AddMethod(const google::protobuf::MethodDescriptor* descriptor);
  absl::Status CheckConflicts() const;

  std::vector<const google::protobuf::ServiceDescriptor*> services_;
  std::vector<std::unique_ptr<Method>> methods_;
  absl::flat_hash_map<std::string, const Method*> by_grpc_path_;
  std::vector<Binding> bindings_;
};

// A field named by a dotted path of proto or JSON names; empty when a part is not there or a part
// before the last is not a singular message.
std::vector<const google::protobuf::FieldDescriptor*> ResolvePath(
    const google::protobuf::Descriptor* type, absl::string_view path);

}  // namespace switchyard::gateway
