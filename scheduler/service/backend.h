// What every RPC of the scheduler works with. Made by Server (server.h) or a test; all of it
// outlives the services and is thread-safe.
#pragma once

#include "common/artifacts/artifact_store.h"
#include "common/clock/clock.h"
#include "scheduler/engine/engine_thread.h"
#include "scheduler/engine/leadership.h"
#include "scheduler/engine/live_view.h"
#include "scheduler/service/admission.h"
#include "scheduler/service/metrics.h"
#include "scheduler/service/principals.h"
#include "scheduler/service/reader_pool.h"
#include "scheduler/store/job_store.h"
#include "scheduler/validation/references.h"
#include "scheduler/watch/event_hub.h"
#include "scheduler/watch/result_hub.h"

namespace switchyard::scheduler {

struct Backend {
  JobStore& store;
  EngineThread& engine;
  const LiveView& live;
  EventHub& events;
  ResultHub& results;
  ReaderPool& readers;
  Admission& admission;
  Principals& principals;
  ReferenceSource& references;
  ArtifactStore& artifacts;
  Clock& clock;
  ServiceMetrics& metrics;
  const Leadership& leadership;
  bool allow_noop = false;
};

}  // namespace switchyard::scheduler
