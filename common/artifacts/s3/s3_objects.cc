#include "common/artifacts/s3/s3_objects.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/artifacts/s3/s3_xml.h"
#include "common/status/error.h"

namespace switchyard {
namespace {

absl::Status Unreadable(const S3Client& client, absl::string_view key, absl::string_view what) {
  return MakeError(
      absl::StatusCode::kUnavailable, "S3_ERROR",
      absl::StrCat("the S3 service's answer for ", client.NameOf(key), " has no ", what),
      {{"key", key}, {"what", what}});
}

absl::Time TimeOf(absl::string_view element, absl::string_view name) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, XmlValue(element, name), &time, &error)) {
    return absl::InfiniteFuture();
  }
  return time;
}

}  // namespace

absl::StatusOr<std::unique_ptr<S3Multipart>> S3Multipart::Begin(S3Client& client, std::string key) {
  const absl::StatusOr<S3Response> response =
      client.Call({.verb = "POST", .key = key, .query = {{"uploads", ""}}});
  if (!response.ok()) return response.status();
  std::string id = XmlValue(response->body, "UploadId");
  if (id.empty()) return Unreadable(client, key, "UploadId");
  return std::unique_ptr<S3Multipart>(new S3Multipart(client, std::move(key), std::move(id)));
}

S3Multipart::~S3Multipart() {
  if (done_) return;
  client_.Call({.verb = "DELETE", .key = key_, .query = {{"uploadId", id_}}})
      .status()
      .IgnoreError();
}

absl::Status S3Multipart::Put(absl::string_view data) {
  const absl::StatusOr<S3Response> response =
      client_.Call({.verb = "PUT",
                    .key = key_,
                    .query = {{"partNumber", absl::StrCat(etags_.size() + 1)}, {"uploadId", id_}},
                    .body = data});
  if (!response.ok()) return response.status();
  if (response->etag.empty()) return Unreadable(client_, key_, "ETag");
  etags_.push_back(response->etag);
  return absl::OkStatus();
}

absl::Status S3Multipart::Copy(const std::string& source) {
  S3Request request{.verb = "PUT",
                    .key = key_,
                    .query = {{"partNumber", absl::StrCat(etags_.size() + 1)}, {"uploadId", id_}}};
  request.headers = {
      {"x-amz-copy-source", absl::StrCat("/", client_.options().bucket, "/", source)}};
  const absl::StatusOr<S3Response> response = client_.Call(request);
  if (!response.ok()) return response.status();
  std::string etag = XmlValue(response->body, "ETag");
  // An error may come after the status was sent.
  if (etag.empty()) return Unreadable(client_, key_, "ETag");
  etags_.push_back(std::move(etag));
  return absl::OkStatus();
}

absl::Status S3Multipart::Complete() {
  std::string body = "<CompleteMultipartUpload>";
  for (size_t i = 0; i < etags_.size(); ++i) {
    absl::StrAppend(&body, "<Part><PartNumber>", i + 1, "</PartNumber><ETag>", etags_[i],
                    "</ETag></Part>");
  }
  absl::StrAppend(&body, "</CompleteMultipartUpload>");
  const absl::StatusOr<S3Response> response =
      client_.Call({.verb = "POST", .key = key_, .query = {{"uploadId", id_}}, .body = body});
  if (response.ok() && XmlValue(response->body, "ETag").empty()) {
    return Unreadable(client_, key_, "ETag");  // Status 200, and an error in the body.
  }
  // A repeat of one whose answer was lost.
  if (absl::IsNotFound(response.status()) && HeadObject(client_, key_).ok()) {
    done_ = true;
    return absl::OkStatus();
  }
  done_ = response.ok();
  return response.status();
}

absl::StatusOr<S3Object> HeadObject(S3Client& client, const std::string& key) {
  const absl::StatusOr<S3Response> response = client.Call({.verb = "HEAD", .key = key});
  if (!response.ok()) return response.status();
  if (response->content_length < 0) return Unreadable(client, key, "Content-Length");
  return S3Object{key, response->content_length, response->last_modified};
}

absl::Status PutObject(S3Client& client, const std::string& key, absl::string_view body) {
  return client.Call({.verb = "PUT", .key = key, .body = body}).status();
}

absl::Status DeleteObject(S3Client& client, const std::string& key) {
  const absl::Status status = client.Call({.verb = "DELETE", .key = key}).status();
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<std::string> GetObject(S3Client& client, const std::string& key, int64_t offset,
                                      int64_t length) {
  S3Request request{.key = key};
  request.headers = {{"range", absl::StrCat("bytes=", offset, "-", offset + length - 1)}};
  absl::StatusOr<S3Response> response = client.Call(request);
  if (!response.ok()) return response.status();
  return std::move(response->body);
}

absl::StatusOr<std::vector<S3Object>> ListObjects(S3Client& client, const std::string& prefix,
                                                  const std::string& after, int max_objects) {
  S3Request request{.query = {{"list-type", "2"},
                              {"max-keys", absl::StrCat(std::min(max_objects, 1000))},
                              {"prefix", prefix}}};
  if (!after.empty()) request.query.emplace_back("start-after", after);
  const absl::StatusOr<S3Response> response = client.Call(request);
  if (!response.ok()) return response.status();
  std::vector<S3Object> objects;
  for (const absl::string_view element : XmlElements(response->body, "Contents")) {
    S3Object& object = objects.emplace_back();
    object.key = XmlValue(element, "Key");
    if (!absl::SimpleAtoi(XmlValue(element, "Size"), &object.size_bytes)) {
      return Unreadable(client, object.key, "Size");
    }
    object.modified = TimeOf(element, "LastModified");
  }
  return objects;
}

absl::Status JoinObjects(S3Client& client, const std::vector<std::string>& sources,
                         const std::string& key) {
  absl::StatusOr<std::unique_ptr<S3Multipart>> whole = S3Multipart::Begin(client, key);
  if (!whole.ok()) return whole.status();
  for (const std::string& source : sources) {
    if (absl::Status status = (*whole)->Copy(source); !status.ok()) return status;
  }
  return (*whole)->Complete();
}

absl::StatusOr<int> AbortMultipartsBefore(S3Client& client, const std::string& prefix,
                                          absl::Time before) {
  const absl::StatusOr<S3Response> response =
      client.Call({.query = {{"prefix", prefix}, {"uploads", ""}}});
  if (!response.ok()) return response.status();
  int aborted = 0;
  for (const absl::string_view element : XmlElements(response->body, "Upload")) {
    // Not every service looks at the prefix.
    if (!absl::StartsWith(XmlValue(element, "Key"), prefix)) continue;
    if (TimeOf(element, "Initiated") >= before) continue;
    const absl::Status status = client
                                    .Call({.verb = "DELETE",
                                           .key = XmlValue(element, "Key"),
                                           .query = {{"uploadId", XmlValue(element, "UploadId")}}})
                                    .status();
    if (!status.ok() && !absl::IsNotFound(status)) return status;
    ++aborted;
  }
  return aborted;
}

}  // namespace switchyard
