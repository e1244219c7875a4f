#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cli/commands/commands.h"
#include "cli/format/json.h"
#include "cli/format/table.h"
#include "cli/format/units.h"

namespace switchyard::cli {
namespace {

class Models final : public Command {
 public:
  std::string name() const override { return "models"; }
  std::string summary() const override { return "Registered models: latest versions"; }
  void AddFlags(Flags&) override {}
  absl::StatusOr<ExitCode> Run(Session& session) override {
    v1::ListModelsResponse all;
    v1::ListModelsRequest request;
    request.set_page_size(1000);
    do {
      const absl::StatusOr<v1::ListModelsResponse> page = session.client().ListModels(request);
      if (!page.ok()) return page.status();
      all.mutable_models()->MergeFrom(page->models());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    session.out << (session.json ? ToJsonText(all) : Text(all));
    return ExitCode::kOk;
  }

 private:
  static std::string Text(const v1::ListModelsResponse& all) {
    if (all.models().empty())
      return "no models yet; `switchyard train FOLDER --save-as NAME` makes one\n";
    Table table(
        {"MODEL", ">VERSION", "ARCHITECTURE", ">CLASSES", ">ACCURACY", ">AGE", "JOB", "WEIGHTS"});
    for (const v1::ModelVersion& model : all.models()) {
      table.Add({model.model(), absl::StrCat(model.version()), model.metadata().architecture(),
                 absl::StrCat(model.metadata().classes_size()),
                 PercentText(model.validation_accuracy()),
                 DurationText(absl::Now() - FromProto(model.create_time())), model.job(),
                 model.weights_artifact().substr(0, 12)});
    }
    return table.Text();
  }
};

}  // namespace

std::unique_ptr<Command> MakeModels() { return std::make_unique<Models>(); }

}  // namespace switchyard::cli
