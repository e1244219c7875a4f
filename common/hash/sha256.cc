#include "common/hash/sha256.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/escaping.h"

namespace switchyard {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_, EVP_sha256(), nullptr);
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

void Sha256::Update(absl::string_view data) {
  EVP_DigestUpdate(context_, data.data(), data.size());
}

std::string Sha256::FinishBytes() {
  std::string digest(32, '\0');
  unsigned int length = 0;
  EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), &length);
  return digest;
}

std::string Sha256::FinishHex() { return absl::BytesToHexString(FinishBytes()); }

std::string Sha256Bytes(absl::string_view data) {
  Sha256 hash;
  hash.Update(data);
  return hash.FinishBytes();
}

std::string Sha256Hex(absl::string_view data) { return absl::BytesToHexString(Sha256Bytes(data)); }

bool IsSha256Hex(absl::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace switchyard
