#include "scheduler/service/attach_outbox.h"

#include <iterator>
#include <utility>

namespace switchyard::scheduler {
namespace {

// A reference and what surrounds it.
constexpr size_t kRefBytes = 64;

bool HasDelta(const SessionOutput& output) {
  return output.limits || !output.serving_budgets.empty() || !output.assignments.empty() ||
         !output.cancels.empty() || !output.recalls.empty() || !output.acknowledgements.empty() ||
         output.heartbeat_acknowledged != 0;
}

size_t Bytes(const Assignment& assignment) {
  return assignment.job.size() + kRefBytes +
         (assignment.model == nullptr ? 0 : assignment.model->size()) +
         (assignment.initial_model == nullptr ? 0 : assignment.initial_model->size());
}

}  // namespace

void AttachOutbox::Add(uint64_t epoch, SessionOutput output) {
  if (output.welcome) {
    Piece& piece = pieces_.emplace_back();
    piece.epoch = epoch;
    piece.output.welcome = std::exchange(output.welcome, std::nullopt);
  }
  size_t bytes = 0;
  auto first = output.assignments.begin();
  for (auto next = first; next != output.assignments.end(); ++next) {
    bytes += Bytes(*next);
    if (bytes < kMessageBytes) continue;
    Piece& piece = pieces_.emplace_back();
    piece.epoch = epoch;
    piece.output.assignments.assign(std::make_move_iterator(first),
                                    std::make_move_iterator(next + 1));
    piece.bytes = std::exchange(bytes, 0);
    first = next + 1;
  }
  output.assignments.erase(output.assignments.begin(), first);
  if (!HasDelta(output)) return;
  bytes +=
      kRefBytes * (output.cancels.size() + output.recalls.size() + output.acknowledgements.size());
  pieces_.push_back({epoch, std::move(output), bytes});
}

std::vector<AttachOutbox::Piece> AttachOutbox::TakeMessage() {
  std::vector<Piece> taken;
  size_t bytes = 0;
  while (!pieces_.empty()) {
    Piece& next = pieces_.front();
    if (!taken.empty() &&
        (taken.front().output.welcome || next.output.welcome || taken.front().epoch != next.epoch ||
         bytes + next.bytes > kMessageBytes)) {
      break;
    }
    bytes += next.bytes;
    taken.push_back(std::move(next));
    pieces_.pop_front();
  }
  return taken;
}

void WriteMessage(std::vector<AttachOutbox::Piece>& pieces, const LeaseTimes& times,
                  worker::v1::SchedulerMessage* message) {
  message->Clear();
  message->set_epoch(pieces.front().epoch);
  if (pieces.front().output.welcome) {
    return WriteWelcome(*pieces.front().output.welcome, times, message->mutable_welcome());
  }
  for (AttachOutbox::Piece& piece : pieces) WriteDelta(piece.output, message->mutable_delta());
}

}  // namespace switchyard::scheduler
