#include "scheduler/watch/event_hub.h"

#include <algorithm>
#include <utility>

namespace switchyard::scheduler {

EventHub::Channel& EventHub::ChannelOf(Shard& shard, JobId job) {
  std::shared_ptr<Channel>& channel = shard.channels[job];
  if (channel == nullptr) {
    channel = std::make_shared<Channel>();
    shard.size = shard.channels.size();
  }
  return *channel;
}

void EventHub::DropIfIdle(Shard& shard, JobId job) {
  const auto found = shard.channels.find(job);
  if (found == shard.channels.end() || found->second->running || !found->second->watchers.empty())
    return;
  shard.channels.erase(found);
  shard.size = shard.channels.size();
}

void EventHub::Add(Channel& channel, std::shared_ptr<const HubEntry> entry, size_t bytes) const {
  channel.log.emplace_back(std::move(entry), bytes);
  channel.bytes += bytes;
  while (channel.log.size() > limits_.entries ||
         (channel.bytes > limits_.bytes && channel.log.size() > 1)) {
    channel.bytes -= channel.log.front().second;
    channel.log.pop_front();
    ++channel.first_index;
  }
}

void EventHub::AddChanges(Channel& channel, const std::shared_ptr<const JobImage>& image) const {
  for (const StateChange& change : image->history) {
    if (change.number <= channel.end.changes) continue;
    channel.end.changes = change.number;
    auto entry = std::make_shared<HubEntry>();
    entry->kind = HubEntry::kState;
    entry->image = image;
    entry->change = change.number;
    Add(channel, std::move(entry), 0);
  }
  channel.running = image->state == JobState::kRunning || image->state == JobState::kCancelling;
}

void EventHub::TakeWaiting(Channel& channel, std::vector<std::shared_ptr<Watcher>>& waiting) {
  for (const std::shared_ptr<Watcher>& watcher : channel.watchers) {
    if (std::exchange(watcher->waits, false)) waiting.push_back(watcher);
  }
}

std::unique_ptr<EventHub::Subscription> EventHub::Subscribe(JobId job, WakeFunction wake) {
  Shard& shard = ShardOf(job);
  MutexLock lock(shard.mutex);
  const bool known = shard.channels.count(job) != 0;
  Channel& channel = ChannelOf(shard, job);
  if (!known) channel.running = false;
  channel.watchers.push_back(std::make_shared<Watcher>(std::move(wake)));
  return std::unique_ptr<Subscription>(
      new Subscription(*this, job, shard.channels[job], channel.watchers.back()));
}

void EventHub::Unsubscribe(Subscription& subscription) {
  Shard& shard = ShardOf(subscription.job_);
  MutexLock lock(shard.mutex);
  auto& watchers = subscription.channel_->watchers;
  watchers.erase(std::find(watchers.begin(), watchers.end(), subscription.watcher_));
  DropIfIdle(shard, subscription.job_);
}

std::shared_ptr<const HubEntry> EventHub::Next(Subscription& subscription) {
  MutexLock lock(ShardOf(subscription.job_).mutex);
  const Channel& channel = *subscription.channel_;
  const uint64_t index = std::max(subscription.next_index_, channel.first_index);
  if (index == channel.first_index + channel.log.size()) {
    subscription.watcher_->waits = true;
    return nullptr;
  }
  subscription.next_index_ = index + 1;
  return channel.log[index - channel.first_index].first;
}

void EventHub::StateChanged(JobId job, uint32_t change_count,
                            absl::FunctionRef<std::shared_ptr<const JobImage>()> image) {
  Shard& shard = ShardOf(job);
  if (shard.size == 0) return;
  std::vector<std::shared_ptr<Watcher>> waiting;
  {
    MutexLock lock(shard.mutex);
    const auto found = shard.channels.find(job);
    if (found == shard.channels.end() || found->second->end.changes >= change_count) return;
    const std::shared_ptr<const JobImage> changed = image();
    if (changed == nullptr) return;
    AddChanges(*found->second, changed);
    TakeWaiting(*found->second, waiting);
    DropIfIdle(shard, job);
  }
  for (const std::shared_ptr<Watcher>& watcher : waiting) watcher->wake();
}

void EventHub::Rebuilt() {
  std::vector<std::shared_ptr<Watcher>> waiting;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    for (auto& [job, channel] : shard.channels) {
      // Changes that were published only are made again by the new core, under the same numbers or
      // others.
      channel->end.changes = 0;
      Add(*channel, std::make_shared<HubEntry>(), 0);
      TakeWaiting(*channel, waiting);
    }
  }
  for (const std::shared_ptr<Watcher>& watcher : waiting) watcher->wake();
}

void EventHub::Append(JobId job, uint32_t attempt, uint64_t first_sequence,
                      google::protobuf::RepeatedPtrField<v1::JobEvent>& events) {
  Shard& shard = ShardOf(job);
  std::vector<std::shared_ptr<Watcher>> waiting;
  {
    MutexLock lock(shard.mutex);
    Channel& channel = ChannelOf(shard, job);
    for (int i = 0; i < events.size(); ++i) {
      const uint64_t sequence = first_sequence + i;
      if (channel.end.SeesEvent(attempt, sequence)) continue;
      channel.end.attempt = attempt;
      channel.end.sequence = sequence;
      auto entry = std::make_shared<HubEntry>();
      entry->kind = HubEntry::kEvent;
      entry->attempt = attempt;
      entry->sequence = sequence;
      entry->event.Swap(events.Mutable(i));
      const size_t bytes = entry->event.ByteSizeLong();
      Add(channel, std::move(entry), bytes);
    }
    TakeWaiting(channel, waiting);
  }
  for (const std::shared_ptr<Watcher>& watcher : waiting) watcher->wake();
}

size_t EventHub::channels() const {
  size_t total = 0;
  for (const Shard& shard : shards_) total += shard.size;
  return total;
}

}  // namespace switchyard::scheduler
