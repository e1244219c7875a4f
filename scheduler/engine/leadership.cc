#include "scheduler/engine/leadership.h"

#include "absl/strings/str_cat.h"
#include "common/status/error.h"

namespace switchyard::scheduler {
namespace {

class Alone final : public Leadership {
 public:
  Lead Present() const override {
    return {.term = 1, .leads = true, .until = absl::InfiniteDuration()};
  }
  SchedulersView Schedulers() const override { return {}; }
};

constexpr absl::Duration kLookAgain = absl::Milliseconds(200);

}  // namespace

const Leadership& AloneLeads() {
  static const Alone alone;
  return alone;
}

uint64_t LeadingTerm(const Leadership& leadership, Clock& clock) {
  const Lead lead = leadership.Present();
  return lead.leads && clock.BootTime() < lead.until ? lead.term : 0;
}

absl::Status NotLeader(const Leadership& leadership) {
  const SchedulerIdentity leader = leadership.Schedulers().leader;
  const std::string who = leader.name.empty()
                              ? "no leader is known yet"
                              : absl::StrCat(leader.name, " at ", leader.client_address, " leads");
  return WithRetryDelay(
      MakeError(absl::StatusCode::kUnavailable, "NOT_LEADER",
                absl::StrCat("this scheduler does not lead, ", who, "; repeat the call there"),
                {{"leader", leader.name}, {"address", leader.client_address}}),
      kLookAgain);
}

}  // namespace switchyard::scheduler
