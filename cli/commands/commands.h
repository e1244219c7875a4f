// One maker per command; each is in the file of its name.
#pragma once

#include <memory>

#include "cli/command.h"

namespace switchyard::cli {

std::unique_ptr<Command> MakeArraysCancel();
std::unique_ptr<Command> MakeArraysList();
std::unique_ptr<Command> MakeArraysShow();
std::unique_ptr<Command> MakeArraysWait();
std::unique_ptr<Command> MakeArraysWidth();
std::unique_ptr<Command> MakeArtifactsDelete();
std::unique_ptr<Command> MakeArtifactsGet();
std::unique_ptr<Command> MakeArtifactsList();
std::unique_ptr<Command> MakeArtifactsPut();
std::unique_ptr<Command> MakeCancel();
std::unique_ptr<Command> MakeDelete();
std::unique_ptr<Command> MakeDemo();
std::unique_ptr<Command> MakeDevices();
std::unique_ptr<Command> MakeDoctor();
std::unique_ptr<Command> MakeExplain();
std::unique_ptr<Command> MakeFailed();
std::unique_ptr<Command> MakeFailedDiscard();
std::unique_ptr<Command> MakeFailedList();
std::unique_ptr<Command> MakeFailedRetry();
std::unique_ptr<Command> MakeJobs();
std::unique_ptr<Command> MakeKeys();
std::unique_ptr<Command> MakeKeysSet();
std::unique_ptr<Command> MakeLimitsClear();
std::unique_ptr<Command> MakeLimitsSet();
std::unique_ptr<Command> MakeLimitsShow();
std::unique_ptr<Command> MakeLogs();
std::unique_ptr<Command> MakeModels();
std::unique_ptr<Command> MakePipelineCancel();
std::unique_ptr<Command> MakePipelineCreate();
std::unique_ptr<Command> MakePipelineDelete();
std::unique_ptr<Command> MakePipelineList();
std::unique_ptr<Command> MakePipelineResume();
std::unique_ptr<Command> MakePipelineShow();
std::unique_ptr<Command> MakePipelineWait();
std::unique_ptr<Command> MakePredict();
std::unique_ptr<Command> MakeQueue();
std::unique_ptr<Command> MakeQueuePause();
std::unique_ptr<Command> MakeQueuePauses();
std::unique_ptr<Command> MakeQueueResume();
std::unique_ptr<Command> MakeRetry();
std::unique_ptr<Command> MakeRun();
std::unique_ptr<Command> MakeSchedulesCreate();
std::unique_ptr<Command> MakeSchedulesDelete();
std::unique_ptr<Command> MakeSchedulesList();
std::unique_ptr<Command> MakeSchedulesPause();
std::unique_ptr<Command> MakeSchedulesResume();
std::unique_ptr<Command> MakeSchedulesShow();
std::unique_ptr<Command> MakeShow();
std::unique_ptr<Command> MakeSimulate();
std::unique_ptr<Command> MakeStop();
std::unique_ptr<Command> MakeSubmit();
std::unique_ptr<Command> MakeTenants();
std::unique_ptr<Command> MakeTenantsSet();
std::unique_ptr<Command> MakeTrain();
std::unique_ptr<Command> MakeUp();
std::unique_ptr<Command> MakeWait();
std::unique_ptr<Command> MakeWatch();
std::unique_ptr<Command> MakeWhy();
std::unique_ptr<Command> MakeSchedulers();
std::unique_ptr<Command> MakeWorkers();
std::unique_ptr<Command> MakeWorkersCordon();
std::unique_ptr<Command> MakeWorkersDrain();
std::unique_ptr<Command> MakeWorkersUncordon();

}  // namespace switchyard::cli
