// Live settings as a document of the store and back: one document, written whole in the commit that
// answers the change. Pure functions.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/settings.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

DocumentKey LiveSettingsKey();

std::string EncodeLiveSettings(const LiveSettings& settings);
// DATA_LOSS when the bytes are no such document.
absl::StatusOr<LiveSettings> DecodeLiveSettings(absl::string_view bytes);

}  // namespace switchyard::scheduler
