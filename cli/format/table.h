// Columns for people. Not thread-safe.
#pragma once

#include <string>
#include <vector>

namespace switchyard::cli {

// Columns are as wide as their widest cell (counted in code points), two blanks apart. A title that
// begins with '>' is right-aligned, and shown without it. Control characters in cells are shown as
// '?': they come from other people.
class Table {
 public:
  explicit Table(std::vector<std::string> titles);
  // REQUIRES: as many cells as titles.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.size() == 1; }
  // Lines, each ended; no blanks at their ends.
  std::string Text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;  // The first is the titles.
};

// `text` without control characters (line ends and tabs included).
std::string Printable(std::string text);

}  // namespace switchyard::cli
