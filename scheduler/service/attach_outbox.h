// What a worker session still has to say, on its way from the engine's words to messages of bounded
// size.
//
// Apart from the session because turning hundreds of assignments into messages is work that need
// not be done on the engine's thread: it only adds here.
//
// Not thread-safe: guarded by its session.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "scheduler/engine/engine.h"
#include "scheduler/service/attach_messages.h"

namespace switchyard::scheduler {

class AttachOutbox {
 public:
  // A message past this is sent and the next begun: gRPC's receive limits stay far, and a worker
  // can start on the first part.
  static constexpr size_t kMessageBytes = 512 * 1024;

  // Part of what the engine said at once.
  struct Piece {
    uint64_t epoch = 0;
    SessionOutput output;
    size_t bytes = 0;
  };

  void Add(uint64_t epoch, SessionOutput output);

  // What the next message is made of; empty: nothing waits.
  std::vector<Piece> TakeMessage();

  bool empty() const { return pieces_.empty(); }

 private:
  std::deque<Piece> pieces_;
};

// One message of `pieces`, which are used up. REQUIRES: as TakeMessage gave them, not empty.
// Thread-safe.
void WriteMessage(std::vector<AttachOutbox::Piece>& pieces, const LeaseTimes& times,
                  worker::v1::SchedulerMessage* message);

}  // namespace switchyard::scheduler
