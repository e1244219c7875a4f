// What happened to a job before somebody came to watch it, from its row's history and the event
// segments its attempts stored.
#pragma once

#include <deque>

#include "common/artifacts/artifact_store.h"
#include "scheduler/core/image.h"
#include "scheduler/watch/event_id.h"
#include "switchyard/v1/event.pb.h"

namespace switchyard::scheduler {

// The events after `position` up to `image`, in order, with ids; `position` is moved behind them.
// State changes stand around the events of their attempt. What is missing (history over its bound,
// a lost worker's or an unreadable segment) is told as a gap. Reads artifacts: may wait on the
// disk.
std::deque<v1::JobEvent> Replay(const JobImage& image, ArtifactStore& artifacts,
                                EventPosition& position);

}  // namespace switchyard::scheduler
