#include "cli/format/table.h"

#include "gtest/gtest.h"

namespace switchyard::cli {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"NAME", ">SIZE"});
  table.Add({"a", "5"});
  table.Add({"longer", "12345"});
  EXPECT_EQ(table.Text(),
            "NAME     SIZE\n"
            "a           5\n"
            "longer  12345\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({"NAME", "X"});
  table.Add({"\xE5\x90\x8D", "y"});
  EXPECT_EQ(table.Text(),
            "NAME  X\n"
            "\xE5\x90\x8D     y\n");
}

TEST(Table, ControlCharactersOfOthersDoNotReachTheTerminal) {
  Table table({"NAME"});
  table.Add({"\033[2Jgone\n"});
  EXPECT_EQ(table.Text(), "NAME\n?[2Jgone?\n");
}

}  // namespace
}  // namespace switchyard::cli
