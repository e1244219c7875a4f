#include "common/metrics/metrics_page.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"

namespace switchyard {
namespace {

using ::testing::HasSubstr;

TEST(MetricsPage, WritesWhatIsCollectedAsText) {
  auto registry = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter()
      .Name("jobs_total")
      .Help("Jobs.")
      .Register(*registry)
      .Add({})
      .Increment(3);
  const std::string page = MetricsPage({registry});
  EXPECT_THAT(page, HasSubstr("# TYPE jobs_total counter"));
  EXPECT_THAT(page, HasSubstr("jobs_total 3"));
}

TEST(MetricsPage, ShowsTheProcess) {
  const std::string page = MetricsPage({MakeProcessMetrics("switchyard-test", "0.1.0")});
  EXPECT_THAT(page,
              HasSubstr("switchyard_build_info{process=\"switchyard-test\",version=\"0.1.0\"} 1"));
  EXPECT_THAT(page, HasSubstr("process_resident_memory_bytes "));
  EXPECT_THAT(page, testing::Not(HasSubstr("process_resident_memory_bytes 0")));
}

}  // namespace
}  // namespace switchyard
