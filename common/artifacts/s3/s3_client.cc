#include "common/artifacts/s3/s3_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/artifacts/s3/s3_xml.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"

namespace switchyard {

// Remembers nothing between requests but the connection itself.
class S3Connection {
 public:
  S3Connection() : handle_(curl_easy_init()) {}
  ~S3Connection() { curl_easy_cleanup(handle_); }
  S3Connection(const S3Connection&) = delete;
  S3Connection& operator=(const S3Connection&) = delete;
  CURL* handle() { return handle_; }

 private:
  CURL* const handle_;
};

namespace {

constexpr long kConnectTimeoutMs = 5000;
// An answer is a part, a page of a list, or an error.
constexpr size_t kMostAnswerBytes = size_t{80} << 20;
constexpr size_t kMostIdle = 32;

class HeaderList {
 public:
  ~HeaderList() { curl_slist_free_all(list_); }
  void Add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

size_t TakeBody(char* data, size_t size, size_t count, void* to) {
  auto& response = *static_cast<S3Response*>(to);
  if (response.body.size() + size * count > kMostAnswerBytes) return 0;
  response.body.append(data, size * count);
  return size * count;
}

size_t TakeHeader(char* data, size_t size, size_t count, void* to) {
  auto& response = *static_cast<S3Response*>(to);
  const absl::string_view line(data, size * count);
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return size * count;
  const absl::string_view name = line.substr(0, colon);
  const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
  if (absl::EqualsIgnoreCase(name, "etag")) response.etag = std::string(value);
  if (absl::EqualsIgnoreCase(name, "content-length")) {
    if (!absl::SimpleAtoi(value, &response.content_length)) response.content_length = -1;
  }
  if (absl::EqualsIgnoreCase(name, "last-modified")) {
    const time_t time = curl_getdate(std::string(value).c_str(), nullptr);
    if (time >= 0) response.last_modified = absl::FromTimeT(time);
  }
  return size * count;
}

bool IsUnreserved(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || std::strchr("-_.~", c) != nullptr;
}

std::string Escape(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      escaped.push_back(c);
    } else {
      absl::StrAppend(&escaped, "%",
                      absl::AsciiStrToUpper(
                          absl::StrCat(absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2))));
    }
  }
  return escaped;
}

bool MayPass(const absl::Status& status) { return absl::IsUnavailable(status); }

absl::StatusCode CodeOf(int status) {
  switch (status) {
    case 401:
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 412:
      return absl::StatusCode::kFailedPrecondition;
    case 416:
      return absl::StatusCode::kOutOfRange;
    case 507:
      return absl::StatusCode::kResourceExhausted;
    case 408:
    case 429:
      return absl::StatusCode::kUnavailable;
    default:
      return status >= 500 ? absl::StatusCode::kUnavailable : absl::StatusCode::kInternal;
  }
}

void InitCurlOnce() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)done;
}

}  // namespace

S3Client::S3Client(S3ClientOptions options) : options_(std::move(options)) { InitCurlOnce(); }
S3Client::~S3Client() = default;

std::string S3Client::NameOf(absl::string_view key) const {
  return absl::StrCat(options_.endpoint, "/", options_.bucket, "/", key);
}

absl::StatusOr<S3Response> S3Client::Call(const S3Request& request) {
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<S3Response> response = CallOnce(request);
    if (response.ok() || !MayPass(response.status()) || attempt >= options_.attempts) {
      return response;
    }
    Pause(attempt);
  }
}

// A random part of the pause, so that many who failed together do not come back together.
void S3Client::Pause(int attempt) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const absl::Duration most = std::min(
      options_.most_pause, options_.first_pause * (int64_t{1} << std::min(attempt - 1, 20)));
  const absl::Duration pause = most * std::uniform_real_distribution<double>(0.5, 1)(random);
  if (options_.sleep) return options_.sleep(pause);
  std::this_thread::sleep_for(absl::ToChronoMilliseconds(pause));
}

std::string S3Client::UrlOf(const S3Request& request) const {
  std::string url = options_.endpoint;
  if (options_.path_style) {
    absl::StrAppend(&url, "/", options_.bucket);
  } else {
    url.insert(url.find("://") + 3, options_.bucket + ".");
  }
  absl::StrAppend(&url, "/", request.key);
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    absl::StrAppend(&url, std::string(1, separator), name, "=", Escape(value));
    separator = '&';
  }
  return url;
}

absl::StatusOr<S3Response> S3Client::CallOnce(const S3Request& request) {
  std::unique_ptr<S3Connection> connection = Take();
  CURL* const curl = connection->handle();
  if (curl == nullptr) return absl::ResourceExhaustedError("libcurl has no handle left");
  S3Response response;
  response.last_modified = absl::InfinitePast();
  HeaderList headers;
  // Signed with the rest, so the service takes no other bytes.
  headers.Add("x-amz-content-sha256: " + Sha256Hex(request.body));
  for (const auto& [name, value] : request.headers) headers.Add(absl::StrCat(name, ": ", value));
  if (!options_.credentials.session_token.empty()) {
    headers.Add("x-amz-security-token: " + options_.credentials.session_token);
  }
  curl_easy_setopt(curl, CURLOPT_URL, UrlOf(request).c_str());
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4,
                   absl::StrCat("aws:amz:", options_.region, ":s3").c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, options_.credentials.access_key.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, options_.credentials.secret_key.c_str());
  if (request.verb == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (request.verb == "PUT" || request.verb == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                     request.body.data() == nullptr ? "" : request.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    headers.Add("content-type: application/octet-stream");
  }
  if (request.verb != "HEAD") curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.verb.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 0L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &TakeBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &response);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &TakeHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &response);
  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  if (code != CURLE_OK) {  // The connection may be in any state: it is not used again.
    return MakeError(absl::StatusCode::kUnavailable, "S3_UNREACHABLE",
                     absl::StrCat("cannot ", request.verb, " ", NameOf(request.key), ": ",
                                  curl_easy_strerror(code)),
                     {{"endpoint", options_.endpoint}, {"key", request.key}});
  }
  GiveBack(std::move(connection));
  if (status < 200 || status > 299) return ErrorOf(request, response);
  return response;
}

absl::Status S3Client::ErrorOf(const S3Request& request, const S3Response& response) const {
  const std::string code = XmlValue(response.body, "Code"), status = absl::StrCat(response.status);
  const absl::StatusCode canonical = code == "SlowDown" || code == "RequestTimeout"
                                         ? absl::StatusCode::kUnavailable
                                         : CodeOf(response.status);
  const std::string message =
      absl::StrCat("the S3 service refused to ", request.verb, " ", NameOf(request.key), ": ",
                   status, code.empty() ? "" : " ", code, " ", XmlValue(response.body, "Message"));
  const bool full = canonical == absl::StatusCode::kResourceExhausted;
  return MakeError(canonical, full ? "DISK_FULL" : "S3_ERROR", message,
                   {{"endpoint", options_.endpoint},
                    {"key", request.key},
                    {"status", status},
                    {"s3_code", code}});
}

std::unique_ptr<S3Connection> S3Client::Take() {
  MutexLock lock(mutex_);
  if (idle_.empty()) return std::make_unique<S3Connection>();
  std::unique_ptr<S3Connection> connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void S3Client::GiveBack(std::unique_ptr<S3Connection> connection) {
  curl_easy_reset(connection->handle());  // Keeps the connection itself.
  MutexLock lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(connection));
}

absl::StatusOr<S3Credentials> S3CredentialsFromEnvironment() {
  const auto get = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  S3Credentials credentials{get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"),
                            get("AWS_SESSION_TOKEN")};
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}) {
    if (get(name).empty()) {
      return MakeError(
          absl::StatusCode::kFailedPrecondition, "S3_CREDENTIALS",
          absl::StrCat("artifact_s3 is configured, but the environment has no ", name, "; set it"),
          {{"variable", name}});
    }
  }
  return credentials;
}

}  // namespace switchyard
