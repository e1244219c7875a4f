// What is read of the XML that S3 services answer: it is flat, and of a fixed form. Thread-safe:
// pure functions.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace switchyard {

// Text of the first element of that name, unescaped; empty when there is none.
std::string XmlValue(absl::string_view xml, absl::string_view name);
// What is inside each element of that name, as it stands. For elements that hold none of their own
// name.
std::vector<absl::string_view> XmlElements(absl::string_view xml, absl::string_view name);

}  // namespace switchyard
