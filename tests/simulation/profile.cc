#include "tests/simulation/profile.h"

#include <algorithm>

namespace switchyard::simulation {
namespace {

constexpr int64_t kSecond = 1'000'000;

// Each seed has a site of its own.
Profile Mixed() { return {.name = "mixed", .drawn = true}; }

// A small site with devices of every kind, few enough that everything gets in each other's way, and
// all features at once.
Profile Crowded() {
  return {.name = "crowded",
          .workers = {{"cpu"}, {"cpu"}, {"cpu", "cuda:0"}, {"cuda:0"}},
          .features = Features::All()};
}

// Two thousand devices: what is quick with four of them and slow with thousands shows here.
Profile Fleet() {
  constexpr int kWorkers = 250;
  constexpr int kDevices = 8;
  Profile profile{
      .name = "fleet",
      .submits = 200,
      .largest_batch = 120,
      .fault_time_us = 60 * kSecond,
      .longest_calm_us = kSecond,
      .features = {Feature::kGangs, Feature::kPreemption, Feature::kLimits, Feature::kInteractive},
      .largest_gang = 16,
      .seeds_for_one = 500};
  std::vector<std::string> devices;
  for (int i = 0; i < kDevices; ++i) devices.push_back("cuda:" + std::to_string(i));
  profile.workers.assign(kWorkers, devices);
  // Somewhere for the jobs that ask for a cpu, and for gangs of them.
  for (int i = 0; i < 24; ++i) profile.workers[i].push_back("cpu");
  return profile;
}

// Where a gang that has to wait longer than it should is seen.
Profile Calm() {
  return {.name = "calm",
          .workers = {{"cuda:0", "cuda:1"}, {"cuda:0", "cuda:1"}, {"cuda:0", "cuda:1"}},
          .submits = 60,
          .largest_batch = 4,
          .fault_time_us = 200 * kSecond,
          .faults = false,
          .features = {Feature::kGangs},
          .largest_gang = 5,
          .calm = true,
          .seeds_for_one = 50};
}

// Three schedulers on one store, of which one leads.
Profile Standby() {
  Profile profile = Crowded();
  profile.name = "standby";
  profile.schedulers = 3;
  return profile;
}

// Five places that are never idle for two hours, and tenants of every sort: three that share by
// weight, one that floods with urgent work, one at its cap, one with a guarantee whose jobs are the
// least urgent, and one that asks for little and least urgent of all. Two have interactive requests
// too, and for ten minutes everything fails.
Profile Tenants() {
  Profile profile{.name = "tenants",
                  .workers = {{"cuda:0"}, {"cuda:0"}, {"cuda:0"}, {"cuda:0"}, {"cuda:0"}},
                  .submits = 0,
                  .fault_time_us = 7200 * kSecond,
                  .faults_from_us = 3000 * kSecond,
                  .faults_until_us = 3600 * kSecond,
                  .ageing_interval_us = 10 * kSecond,
                  .idle_credit_us = 60 * kSecond,
                  .share_half_life_us = 900 * kSecond,
                  .urgent_share_percent = 50,
                  .seeds_for_one = 100};
  profile.tenants = {
      {.settings = {.name = "light", .weight = 1}, .fair = true},
      {.settings = {.name = "middle", .weight = 2}, .fair = true, .interactive_percent = 2},
      {.settings = {.name = "heavy", .weight = 4}, .fair = true, .interactive_percent = 4},
      {.settings = {.name = "urgent"}, .priority = 1},
      {.settings = {.name = "capped", .max_running = 1}},
      {.settings = {.name = "guaranteed", .guaranteed_running = 1}, .priority = 9},
      {.settings = {.name = "patient"}, .priority = 9, .every_us = 120 * kSecond},
  };
  return profile;
}

const std::vector<Profile>& Profiles() {
  static const auto& profiles =
      *new std::vector<Profile>{Mixed(), Crowded(), Fleet(), Tenants(), Calm(), Standby()};
  return profiles;
}

}  // namespace

int64_t UndisturbedUs(const Profile& profile, int64_t from_us, int64_t until_us) {
  const int64_t all_us = std::max<int64_t>(0, until_us - from_us);
  if (profile.faults_until_us == 0) return all_us;
  const int64_t disturbed_from_us = std::max(from_us, profile.faults_from_us);
  const int64_t disturbed_until_us = std::min(until_us, profile.faults_until_us + kSettleUs);
  return all_us - std::max<int64_t>(0, disturbed_until_us - disturbed_from_us);
}

absl::Span<const Profile> AllProfiles() { return Profiles(); }

const Profile* FindProfile(absl::string_view name) {
  for (const Profile& profile : Profiles()) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

const Profile& ProfileForSeed(uint64_t seed) {
  for (const Profile& profile : Profiles()) {
    if (profile.seeds_for_one != 0 && seed % profile.seeds_for_one == 0) return profile;
  }
  return Profiles().front();
}

}  // namespace switchyard::simulation
