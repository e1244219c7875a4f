// Which commands of a drain were made before: against the store, and against each other.
//
// Not thread-safe; one drain each.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "scheduler/store/job_store.h"

namespace switchyard::scheduler {

struct Input;

class RequestLookup {
 public:
  // What is known of a command's request id.
  struct Finding {
    enum Kind {
      kNew,         // Not seen; the caller must Claim it when it takes the command.
      kStored,      // `row`: an earlier call with the same body.
      kClaimed,     // `claimer`: a command of this drain with the same body.
      kOtherBody,   // Seen with another body.
      kUnreadable,  // `status`: nobody can say now.
    };
    Kind kind = kNew;
    RequestRow row;
    size_t claimer = 0;
    absl::Status status;
  };

  // Reads the ids of the first `count` inputs from the store, in one call. What cannot be read
  // concerns its own command only.
  void Load(JobStore& store, const std::deque<Input>& inbox, size_t count);
  Finding Find(const Input& input) const;
  // Commands with this id that come later in the drain get what command `index` gets.
  void Claim(const Input& input, size_t index);

 private:
  struct Claimed {
    std::string body_sha256;
    size_t index;
  };
  void LoadEach(JobStore& store, const std::vector<RequestKey>& keys,
                const std::vector<std::string>& names);

  absl::flat_hash_map<std::string, RequestRow> stored_;
  absl::flat_hash_map<std::string, absl::Status> unreadable_;
  absl::flat_hash_map<std::string, Claimed> claimed_;
};

}  // namespace switchyard::scheduler
