#include "cli/commands/commands.h"
#include "cli/format/admin_text.h"
#include "cli/format/json.h"

namespace switchyard::cli {
namespace {

class Keys final : public Command {
 public:
  std::string name() const override { return "keys"; }
  std::string summary() const override { return "Keys: tenants, scopes, limits; never tokens"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    const absl::StatusOr<v1::ListKeysResponse> keys = session.client().ListKeys();
    if (!keys.ok()) return keys.status();
    session.out << (session.json ? ToJsonText(*keys) : KeysTable(keys->keys()));
    return ExitCode::kOk;
  }
};

class KeysSet final : public Command {
 public:
  std::string name() const override { return "keys set"; }
  std::string summary() const override { return "Change a key's limits; at once and for good"; }
  void AddFlags(Flags& flags) override {
    flags.Text("KEY", &id_, "Its id", Need::kRequired);
    flags.Number("--highest-priority", &highest_priority_, "Most urgent priority, 1 to 9");
    flags.Number("--max-running", &max_running_, "Most jobs running; 0: no limit");
    flags.Real("--rate", &rate_, "Calls a second; 0: no limit");
    flags.Number("--burst", &burst_, "Calls at once after a pause; 0: a second's worth");
  }
  absl::StatusOr<ExitCode> Run(Session& session) override {
    v1::UpdateKeyRequest request;
    request.set_request_id(NewRequestId());
    v1::Key& key = *request.mutable_key();
    key.set_id(id_);
    const auto take = [&](const auto& value, const char* field, auto set) {
      if (!value.has_value()) return;
      set(*value);
      request.mutable_update_mask()->add_paths(field);
    };
    take(highest_priority_, "highest_priority",
         [&](uint64_t v) { key.set_highest_priority(static_cast<uint32_t>(v)); });
    take(max_running_, "max_running",
         [&](uint64_t v) { key.set_max_running(static_cast<uint32_t>(v)); });
    take(rate_, "rate_per_second", [&](double v) { key.set_rate_per_second(v); });
    take(burst_, "burst", [&](uint64_t v) { key.set_burst(static_cast<uint32_t>(v)); });
    if (request.update_mask().paths().empty())
      return absl::InvalidArgumentError("nothing to change: see `switchyard keys set --help`");
    const absl::StatusOr<v1::Key> changed = session.client().UpdateKey(request);
    if (!changed.ok()) return changed.status();
    v1::ListKeysResponse one;
    *one.add_keys() = *changed;
    session.out << (session.json ? ToJsonText(*changed) : KeysTable(one.keys()));
    return ExitCode::kOk;
  }

 private:
  std::string id_;
  std::optional<uint64_t> highest_priority_, max_running_, burst_;
  std::optional<double> rate_;
};

}  // namespace

std::unique_ptr<Command> MakeKeys() { return std::make_unique<Keys>(); }
std::unique_ptr<Command> MakeKeysSet() { return std::make_unique<KeysSet>(); }

}  // namespace switchyard::cli
