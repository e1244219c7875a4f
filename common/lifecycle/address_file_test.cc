#include "common/lifecycle/address_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace switchyard {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::string Fresh(const std::string& name) {
  const std::string path = testing::TempDir() + "/" + std::to_string(getpid()) + "." + name;
  std::filesystem::remove(path);
  return path;
}

TEST(AddressFile, GivesBackWhatWasWritten) {
  const std::string file = Fresh("addresses");
  ASSERT_TRUE(WriteAddressFile(file, {{"http", "127.0.0.1:8080"}, {"grpc", "[::1]:7070"}}).ok());
  const auto addresses = ReadAddressFile(file);
  ASSERT_TRUE(addresses.ok()) << addresses.status();
  EXPECT_THAT(*addresses, ElementsAre(Pair("grpc", "[::1]:7070"), Pair("http", "127.0.0.1:8080")));
}

TEST(AddressFile, IsNotFoundBeforeItIsWritten) {
  EXPECT_EQ(ReadAddressFile(Fresh("missing")).status().code(), absl::StatusCode::kNotFound);
}

TEST(AddressFile, NamesTheMalformedLine) {
  const std::string file = Fresh("malformed");
  std::ofstream(file) << "http=127.0.0.1:1\nnonsense\n";
  EXPECT_THAT(std::string(ReadAddressFile(file).status().message()), testing::HasSubstr("line 2"));
}

TEST(AddressFile, NoNameMeansNoFile) { EXPECT_TRUE(WriteAddressFile("", {{"a", "b"}}).ok()); }

}  // namespace
}  // namespace switchyard
