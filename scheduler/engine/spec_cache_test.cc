#include "scheduler/engine/spec_cache.h"

#include <string>

#include "gtest/gtest.h"

namespace switchyard::scheduler {
namespace {

TEST(SpecCache, GivesASpecOnce) {
  SpecCache cache(10'000);
  cache.Put(1, "one");
  std::string spec;
  EXPECT_TRUE(cache.Take(1, spec));
  EXPECT_EQ(spec, "one");
  EXPECT_FALSE(cache.Take(1, spec));
}

TEST(SpecCache, DropsTheOldestWhenItIsFull) {
  SpecCache cache(1000);
  for (JobId id = 1; id <= 10; ++id) cache.Put(id, std::string(300, 'x'));
  std::string spec;
  EXPECT_FALSE(cache.Take(1, spec));
  EXPECT_FALSE(cache.Take(8, spec));
  EXPECT_TRUE(cache.Take(9, spec));
  EXPECT_TRUE(cache.Take(10, spec));
}

TEST(SpecCache, ASpecLargerThanTheWholeCacheIsNotKept) {
  SpecCache cache(100);
  cache.Put(1, std::string(300, 'x'));
  std::string spec;
  EXPECT_FALSE(cache.Take(1, spec));
}

}  // namespace
}  // namespace switchyard::scheduler
