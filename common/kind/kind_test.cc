#include "common/kind/kind.h"

#include "gtest/gtest.h"

namespace switchyard {
namespace {

TEST(Kind, EveryMemberOfTheOneofIsInTheTable) {
  const auto* oneof = v1::Job::descriptor()->FindOneofByName("kind");
  ASSERT_NE(oneof, nullptr);
  EXPECT_EQ(static_cast<size_t>(oneof->field_count()), AllKinds().size());
  for (int i = 0; i < oneof->field_count(); ++i) {
    const KindTraits* kind = FindKind(absl::string_view(oneof->field(i)->name()));
    ASSERT_NE(kind, nullptr) << oneof->field(i)->name();
    EXPECT_EQ(kind->field, oneof->field(i)->number());
  }
}

}  // namespace
}  // namespace switchyard
