// What tests of the agent share: an attached agent over fakes, the scheduler's part and the
// runners' part.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "gtest/gtest.h"
#include "worker/agent/agent.h"
#include "worker/testing/assignments.h"
#include "worker/testing/fake_runners.h"

namespace switchyard::worker {

class AgentTest : public ::testing::Test {
 protected:
  AgentTest()
      : agent_({.worker = "w1", .incarnation = "i1", .device = Cpu()}, runners_, segments_, clock_,
               [this] { ++wakes_; }) {
    agent_.Begin();
    serving_ = runners_.last;
    Attach();
  }

  static ::switchyard::v1::Device Cpu() {
    ::switchyard::v1::Device device;
    device.set_device("cpu");
    return device;
  }

  // A stream whose welcome keeps all the worker has, or nothing.
  ::switchyard::worker::v1::Hello Attach(bool keep = true) {
    const ::switchyard::worker::v1::Hello hello = agent_.BuildHello();
    ::switchyard::worker::v1::Welcome welcome;
    welcome.mutable_lease()->set_seconds(30);
    welcome.mutable_heartbeat_interval()->set_seconds(5);
    for (const auto& report : hello.attempts()) {
      if (keep) *welcome.add_keep() = report.ref();
    }
    for (const auto job_class : {::switchyard::v1::TRAINING, ::switchyard::v1::INFERENCE}) {
      auto* limit = welcome.add_limits();
      limit->set_job_class(job_class);
      limit->set_max_running(2);
    }
    agent_.OnWelcome(welcome);
    return hello;
  }

  void Assign(::switchyard::worker::v1::Assignment assignment) {
    ::switchyard::worker::v1::SchedulerDelta delta;
    *delta.add_assignments() = std::move(assignment);
    agent_.OnDelta(delta);
  }
  void Cancel(const AttemptKey& key, bool checkpoint_first = false) {
    ::switchyard::worker::v1::SchedulerDelta delta;
    auto* cancel = delta.add_cancels();
    *cancel->mutable_ref() = RefOf(key);
    cancel->set_checkpoint_first(checkpoint_first);
    agent_.OnDelta(delta);
  }
  void Recall(const AttemptKey& key) {
    ::switchyard::worker::v1::SchedulerDelta delta;
    *delta.add_recalls() = RefOf(key);
    agent_.OnDelta(delta);
  }
  void Acknowledge(const AttemptKey& key) {
    ::switchyard::worker::v1::SchedulerDelta delta;
    *delta.add_acknowledged() = RefOf(key);
    agent_.OnDelta(delta);
  }

  // The runner's part.
  void Started(RunnerId runner, const AttemptKey& key) {
    ::switchyard::worker::v1::FromRunner frame;
    auto* report = frame.add_reports();
    *report->mutable_ref() = RefOf(key);
    report->mutable_started()->set_device("cpu");
    agent_.OnFrame(runner, frame);
  }
  void Finished(RunnerId runner, const AttemptKey& key,
                ::switchyard::v1::Attempt::Outcome outcome = ::switchyard::v1::Attempt::SUCCEEDED) {
    ::switchyard::worker::v1::FromRunner frame;
    auto* report = frame.add_reports();
    *report->mutable_ref() = RefOf(key);
    report->mutable_finished()->set_outcome(outcome);
    agent_.OnFrame(runner, frame);
  }
  void Log(RunnerId runner, const AttemptKey& key, const std::string& text) {
    ::switchyard::worker::v1::FromRunner frame;
    auto* events = frame.add_events();
    *events->mutable_ref() = RefOf(key);
    events->add_events()->mutable_log()->set_text(text);
    agent_.OnFrame(runner, frame);
  }

  ::switchyard::worker::v1::WorkerDelta Sent() {
    ::switchyard::worker::v1::WorkerDelta delta;
    agent_.TakeDelta(&delta);
    return delta;
  }
  std::vector<int> SentReports() {
    std::vector<int> cases;
    const ::switchyard::worker::v1::WorkerDelta sent = Sent();
    for (const auto& report : sent.reports()) cases.push_back(report.report_case());
    return cases;
  }

  void Preempt(const AttemptKey& key, absl::Duration grace) {
    ::switchyard::worker::v1::SchedulerDelta delta;
    auto* cancel = delta.add_cancels();
    *cancel->mutable_ref() = RefOf(key);
    cancel->set_preempt(true);
    cancel->mutable_grace()->set_seconds(absl::ToInt64Seconds(grace));
    agent_.OnDelta(delta);
  }
  void Progress(RunnerId runner, const AttemptKey& key, double fraction) {
    ::switchyard::worker::v1::FromRunner frame;
    auto* events = frame.add_events();
    *events->mutable_ref() = RefOf(key);
    events->add_events()->mutable_progress()->set_fraction(fraction);
    agent_.OnFrame(runner, frame);
  }

  FakeClock clock_;
  FakeRunners runners_;
  FakeSegmentStore segments_;
  int wakes_ = 0;
  Agent agent_;
  RunnerId serving_ = 0;
};

}  // namespace switchyard::worker
