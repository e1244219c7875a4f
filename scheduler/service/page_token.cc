#include "scheduler/service/page_token.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

constexpr int kDefaultPageSize = 50;
constexpr int kMostPageSize = 1000;

// Binds a token to its position and arguments. No secret: a forged token reads nothing its caller
// could not list.
std::string Checksum(absl::string_view arguments, absl::string_view position) {
  return Sha256Bytes(absl::StrCat("page-1:", position.size(), ":", position, arguments))
      .substr(0, 8);
}

}  // namespace

std::string MakePageToken(absl::string_view arguments, absl::string_view position) {
  return absl::WebSafeBase64Escape(absl::StrCat(Checksum(arguments, position), position));
}

absl::StatusOr<std::string> ReadPageToken(absl::string_view arguments, absl::string_view token) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() < 8 ||
      !absl::StartsWith(bytes, Checksum(arguments, absl::string_view(bytes).substr(8)))) {
    return InvalidField("page_token",
                        "must be the next_page_token of an answer to the same request");
  }
  return bytes.substr(8);
}

absl::StatusOr<int> ReadPageSize(int page_size) {
  if (page_size < 0) return InvalidField("page_size", "must not be negative; 0 means 50");
  return page_size == 0 ? kDefaultPageSize : std::min(page_size, kMostPageSize);
}

absl::StatusOr<DocumentQuery> ReadDocumentQuery(absl::string_view collection,
                                                absl::string_view tenant, int page_size,
                                                absl::string_view token, bool descending) {
  const absl::StatusOr<int> size = ReadPageSize(page_size);
  if (!size.ok()) return size.status();
  DocumentQuery query;
  query.collection = std::string(collection);
  query.tenant = std::string(tenant);
  query.descending = descending;
  query.max_rows = *size;
  if (token.empty()) return query;
  absl::StatusOr<std::string> position = ReadPageToken(collection, token);
  if (!position.ok()) return position.status();
  query.after = {*query.tenant, *std::move(position)};
  return query;
}

std::string NextDocumentToken(const DocumentQuery& query, const std::vector<DocumentRow>& rows) {
  if (static_cast<int>(rows.size()) < query.max_rows) return "";
  return MakePageToken(query.collection, rows.back().key.id);
}

}  // namespace switchyard::scheduler
