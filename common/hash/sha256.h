// SHA-256, incremental, over OpenSSL.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

struct evp_md_ctx_st;

namespace switchyard {

// Not thread-safe. REQUIRES: Finish is called at most once, Update never after it.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void Update(absl::string_view data);
  // 64 lower-case hex digits.
  std::string FinishHex();
  // 32 bytes.
  std::string FinishBytes();

 private:
  evp_md_ctx_st* context_;
};

std::string Sha256Hex(absl::string_view data);
std::string Sha256Bytes(absl::string_view data);

// True for 64 lower-case hex digits.
bool IsSha256Hex(absl::string_view text);

}  // namespace switchyard
