#include "common/artifacts/s3/s3_xml.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace switchyard {

std::vector<absl::string_view> XmlElements(absl::string_view xml, absl::string_view name) {
  const std::string begin = absl::StrCat("<", name), end = absl::StrCat("</", name, ">");
  std::vector<absl::string_view> elements;
  for (size_t at = 0; (at = xml.find(begin, at)) != absl::string_view::npos;) {
    at += begin.size();
    // `<Code` is also what `<CodeName>` begins with.
    if (at >= xml.size() || (xml[at] != '>' && xml[at] != ' ')) continue;
    const size_t open = xml.find('>', at);
    const size_t close = open == absl::string_view::npos ? open : xml.find(end, open);
    if (close == absl::string_view::npos) break;
    elements.push_back(xml.substr(open + 1, close - open - 1));
    at = close + end.size();
  }
  return elements;
}

std::string XmlValue(absl::string_view xml, absl::string_view name) {
  const std::vector<absl::string_view> elements = XmlElements(xml, name);
  if (elements.empty()) return "";
  return absl::StrReplaceAll(elements.front(), {{"&lt;", "<"},
                                                {"&gt;", ">"},
                                                {"&quot;", "\""},
                                                {"&#34;", "\""},
                                                {"&apos;", "'"},
                                                {"&#39;", "'"},
                                                {"&amp;", "&"}});
}

}  // namespace switchyard
