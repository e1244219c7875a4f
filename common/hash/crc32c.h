// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected; RFC 3720 appendix B.4): the checksum of
// stored rows.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace switchyard {

// Checksum of the bytes whose checksum is `crc` followed by `data`. Begin with 0. Uses the
// processor's instruction (SSE 4.2) where there is one. Thread-safe.
uint32_t Crc32c(uint32_t crc, absl::string_view data);

}  // namespace switchyard
