#include "absl/strings/str_cat.h"
#include "scheduler/validation/job_spec.h"
#include "scheduler/validation/names.h"

namespace switchyard::scheduler {
namespace {

constexpr uint32_t kDefaultTopK = 5;
constexpr uint32_t kMostTopK = 1000;

void CheckInput(const v1::PredictSpec& spec, FieldFaults& faults) {
  switch (spec.input_case()) {
    case v1::PredictSpec::kData:
      if (spec.data().empty() || spec.data().size() > kMostInlineBytes) {
        faults.Add("predict.data",
                   absl::StrCat("must be 1 to ", kMostInlineBytes, " bytes; it has ",
                                spec.data().size(), "; larger input goes by source"));
      }
      return;
    case v1::PredictSpec::kSource:
      return CheckSource(spec.source(), "predict.source", faults);
    case v1::PredictSpec::INPUT_NOT_SET:
      faults.Add("predict", "must have exactly one of data and source set");
  }
}

}  // namespace

void NormalizePredict(v1::PredictSpec& spec, FieldFaults& faults) {
  if (spec.top_k() == 0) spec.set_top_k(kDefaultTopK);
  if (spec.top_k() > kMostTopK)
    faults.Add("predict.top_k", absl::StrCat("must be 1 to ", kMostTopK));
  if (!IsModelName(spec.model())) faults.Add("predict.model", kModelNameForm);
  CheckInput(spec, faults);
}

}  // namespace switchyard::scheduler
