// Update rules over one flat vector of all weights. For the .cc files of this folder only: it names
// torch.
//
// Own code and not torch::optim, for two reasons: one flat vector makes a step a handful of kernels
// however many tensors the network has, and the state is two vectors and a count that a checkpoint
// can hold exactly, where torch::optim's maps changed their keys between LibTorch 1.13 and 2.x.
#pragma once

#include "worker/torch/torch_header.h"
#include "worker/torch/trainer.h"

namespace switchyard::worker {

class Optimizer {
 public:
  // `weights` and `gradients` are flat, of one length; they are views of what the network uses.
  Optimizer(const TrainerOptions& options, torch::Tensor weights, torch::Tensor gradients);

  void Step(double learning_rate);
  void ClearGradients() { gradients_.zero_(); }

  // Exact state, as `optimizer.*` tensors on the CPU.
  std::map<std::string, torch::Tensor> TakeState() const;
  // INVALID_ARGUMENT when a tensor is missing or of another length.
  absl::Status Restore(const Safetensors& state);

 private:
  void StepSgd(const torch::Tensor& gradient, double learning_rate);
  void StepAdam(const torch::Tensor& gradient, double learning_rate);

  const UpdateRule rule_;
  const double weight_decay_;
  torch::Tensor weights_;
  torch::Tensor gradients_;
  torch::Tensor first_;   // Momentum, or Adam's mean of gradients.
  torch::Tensor second_;  // Adam's mean of squared gradients; empty for SGD.
  int64_t steps_ = 0;
};

}  // namespace switchyard::worker
