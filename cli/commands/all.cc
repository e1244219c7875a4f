#include "cli/commands/commands.h"

namespace switchyard::cli {

Client& Session::client() {
  if (client_ == nullptr) client_ = std::make_unique<Client>(server, token);
  return *client_;
}

std::vector<std::unique_ptr<Command>> AllCommands() {
  std::unique_ptr<Command> (*const makers[])() = {
      // Running it.
      MakeUp, MakeDemo, MakeDoctor, MakeSimulate,
      // Giving it work.
      MakeTrain, MakePredict, MakeRun, MakeSubmit,
      // Jobs.
      MakeJobs, MakeShow, MakeWatch, MakeLogs, MakeWait, MakeCancel, MakeStop, MakeRetry,
      MakeDelete, MakeWhy, MakeExplain, MakeFailed, MakeFailedList, MakeFailedRetry,
      MakeFailedDiscard,
      // Many jobs.
      MakePipelineCreate, MakePipelineShow, MakePipelineList, MakePipelineWait, MakePipelineCancel,
      MakePipelineResume, MakePipelineDelete, MakeArraysList, MakeArraysShow, MakeArraysWait,
      MakeArraysWidth, MakeArraysCancel, MakeSchedulesCreate, MakeSchedulesList, MakeSchedulesShow,
      MakeSchedulesPause, MakeSchedulesResume, MakeSchedulesDelete,
      // What there is.
      MakeModels, MakeDevices, MakeSchedulers, MakeWorkers, MakeWorkersCordon, MakeWorkersUncordon,
      MakeWorkersDrain, MakeQueue, MakeQueuePause, MakeQueueResume, MakeQueuePauses, MakeTenants,
      MakeTenantsSet, MakeKeys, MakeKeysSet, MakeLimitsShow, MakeLimitsSet, MakeLimitsClear,
      MakeArtifactsPut, MakeArtifactsGet, MakeArtifactsList, MakeArtifactsDelete};
  std::vector<std::unique_ptr<Command>> commands;
  for (const auto make : makers) commands.push_back(make());
  return commands;
}

}  // namespace switchyard::cli
