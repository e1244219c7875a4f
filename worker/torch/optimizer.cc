#include "worker/torch/optimizer.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/status/error.h"
#include "worker/torch/network_module.h"

namespace switchyard::worker {
namespace {

constexpr double kMomentum = 0.9;
constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;

constexpr char kFirst[] = "optimizer.first";
constexpr char kSecond[] = "optimizer.second";
constexpr char kSteps[] = "optimizer.steps";

absl::Status Fill(const Safetensors& state, const char* name, torch::Tensor& tensor) {
  const auto found = state.tensors.find(name);
  if (found == state.tensors.end() || torch::IntArrayRef(found->second.shape) != tensor.sizes()) {
    return MakeError(absl::StatusCode::kInvalidArgument, "WRONG_CHECKPOINT",
                     absl::StrCat("the checkpoint does not fit the job: tensor '", name,
                                  "' is missing or has another shape"));
  }
  tensor.copy_(ToTensor(found->second));
  return absl::OkStatus();
}

}  // namespace

Optimizer::Optimizer(const TrainerOptions& options, torch::Tensor weights, torch::Tensor gradients)
    : rule_(options.rule),
      weight_decay_(options.weight_decay),
      weights_(std::move(weights)),
      gradients_(std::move(gradients)),
      first_(torch::zeros_like(weights_)),
      second_(rule_ == UpdateRule::kSgd ? torch::empty({0}) : torch::zeros_like(weights_)) {}

void Optimizer::Step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  ++steps_;
  const bool decoupled = rule_ == UpdateRule::kAdamW;
  if (decoupled && weight_decay_ > 0) weights_.mul_(1 - learning_rate * weight_decay_);
  const torch::Tensor gradient =
      !decoupled && weight_decay_ > 0 ? gradients_.add(weights_, weight_decay_) : gradients_;
  if (rule_ == UpdateRule::kSgd) {
    StepSgd(gradient, learning_rate);
  } else {
    StepAdam(gradient, learning_rate);
  }
}

void Optimizer::StepSgd(const torch::Tensor& gradient, double learning_rate) {
  first_.mul_(kMomentum).add_(gradient);
  weights_.sub_(first_, learning_rate);
}

// Kingma and Ba, 2015, algorithm 1.
void Optimizer::StepAdam(const torch::Tensor& gradient, double learning_rate) {
  first_.mul_(kBeta1).add_(gradient, 1 - kBeta1);
  second_.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
  const double unbias1 = 1 - std::pow(kBeta1, static_cast<double>(steps_));
  const double unbias2 = 1 - std::pow(kBeta2, static_cast<double>(steps_));
  const torch::Tensor scale = second_.sqrt().div_(std::sqrt(unbias2)).add_(kEpsilon);
  weights_.addcdiv_(first_, scale, -learning_rate / unbias1);
}

std::map<std::string, torch::Tensor> Optimizer::TakeState() const {
  return {{kFirst, first_.cpu().contiguous()},
          {kSecond, second_.cpu().contiguous()},
          {kSteps, torch::tensor({steps_}, torch::kInt64)}};
}

absl::Status Optimizer::Restore(const Safetensors& state) {
  const torch::NoGradGuard no_grad;
  torch::Tensor steps = torch::zeros({1}, torch::kInt64);
  absl::Status status = Fill(state, kFirst, first_);
  if (status.ok()) status = Fill(state, kSecond, second_);
  if (status.ok()) status = Fill(state, kSteps, steps);
  if (status.ok()) steps_ = steps.item<int64_t>();
  return status;
}

}  // namespace switchyard::worker
