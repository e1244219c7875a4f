#include "worker/torch/trainer.h"

#include "worker/torch/catch_torch.h"
#include "worker/torch/network_module.h"
#include "worker/torch/optimizer.h"

namespace switchyard::worker {
namespace {

int64_t CountWeights(const torch::nn::Module& network) {
  int64_t count = 0;
  for (const torch::Tensor& weight : network.parameters()) count += weight.numel();
  return count;
}

// Makes every weight and every gradient of `network` a view of one flat vector each. Autograd adds
// into gradients that are there, so they stay views.
struct FlatWeights {
  torch::Tensor weights;
  torch::Tensor gradients;

  explicit FlatWeights(torch::nn::Module& network) {
    const torch::NoGradGuard no_grad;
    const torch::Device device = network.parameters().front().device();
    weights = torch::empty({CountWeights(network)}, device);
    gradients = torch::zeros_like(weights);
    int64_t at = 0;
    for (torch::Tensor& weight : network.parameters()) {
      const torch::Tensor place = weights.narrow(0, at, weight.numel()).view_as(weight);
      place.copy_(weight);
      weight.set_data(place);
      weight.mutable_grad() = gradients.narrow(0, at, weight.numel()).view_as(weight);
      at += weight.numel();
    }
  }
};

class TorchTrainer final : public Trainer {
 public:
  explicit TorchTrainer(const TrainerOptions& options)
      : spec_(options.network),
        device_(options.device),
        network_(Build(options, device_)),
        flat_(*network_),
        optimizer_(options, flat_.weights, flat_.gradients) {}

  absl::StatusOr<BatchOutcome> Step(const Batch& batch, double learning_rate,
                                    absl::Span<const size_t> part_ends) override {
    return CatchTorch([&]() -> absl::StatusOr<BatchOutcome> {
      network_->train();
      optimizer_.ClearGradients();
      BatchOutcome outcome;
      if (part_ends.size() <= 1) {
        outcome = AddGradients(batch, batch.labels.size());
      } else {
        size_t begin = 0;
        for (const size_t end : part_ends) {
          Append(AddGradients(Part(batch, begin, end), batch.labels.size()), outcome);
          begin = end;
        }
      }
      optimizer_.Step(learning_rate);
      return outcome;
    });
  }

  absl::StatusOr<BatchOutcome> Evaluate(const Batch& batch) override {
    return CatchTorch([&]() -> absl::StatusOr<BatchOutcome> {
      const torch::NoGradGuard no_grad;
      network_->eval();
      const torch::Tensor logits = Forward(batch);
      return Outcome(logits, torch::cross_entropy_loss(logits, Labels(batch)), batch);
    });
  }

  absl::StatusOr<std::string> Weights() override {
    return CatchTorch(
        [&]() -> absl::StatusOr<std::string> { return Write(TakeState(*network_), {}); });
  }

  absl::StatusOr<std::string> State(const std::map<std::string, std::string>& metadata) override {
    return CatchTorch([&]() -> absl::StatusOr<std::string> {
      std::map<std::string, torch::Tensor> state = TakeState(*network_);
      state.merge(optimizer_.TakeState());
      return Write(state, metadata);
    });
  }

  absl::StatusOr<bool> LoadWeights(const Safetensors& weights) override {
    return CatchTorch([&]() -> absl::StatusOr<bool> {
      return LoadState(*network_, weights, /*keep_new_head=*/true);
    });
  }

  absl::Status Restore(const Safetensors& state) override {
    return CatchTorch([&]() -> absl::Status {
      const absl::StatusOr<bool> loaded = LoadState(*network_, state, /*keep_new_head=*/false);
      return loaded.ok() ? optimizer_.Restore(state) : loaded.status();
    });
  }

 private:
  // Adds what `part` contributes to the mean loss over `samples`.
  BatchOutcome AddGradients(const Batch& part, size_t samples) {
    const torch::Tensor logits = Forward(part);
    const torch::Tensor loss = torch::cross_entropy_loss(logits, Labels(part));
    if (part.labels.size() == samples) {
      loss.backward();
    } else {
      (loss * (static_cast<double>(part.labels.size()) / static_cast<double>(samples))).backward();
    }
    return Outcome(logits, loss, part);
  }

  Batch Part(const Batch& batch, size_t begin, size_t end) const {
    const size_t bytes = static_cast<size_t>(spec_.input.bytes());
    return {batch.pixels.subspan(begin * bytes, (end - begin) * bytes),
            batch.labels.subspan(begin, end - begin)};
  }

  static void Append(const BatchOutcome& part, BatchOutcome& whole) {
    whole.loss_sum += part.loss_sum;
    whole.predictions.insert(whole.predictions.end(), part.predictions.begin(),
                             part.predictions.end());
  }

  static std::shared_ptr<NetworkModule> Build(const TrainerOptions& options,
                                              const torch::Device& device) {
    std::shared_ptr<NetworkModule> network = MakeNetwork(options.network, options.seed);
    network->to(device);
    return network;
  }

  static std::string Write(const std::map<std::string, torch::Tensor>& tensors,
                           const std::map<std::string, std::string>& metadata) {
    Safetensors content;
    content.metadata = metadata;
    for (const auto& [name, tensor] : tensors) content.tensors[name] = ViewOf(tensor);
    return WriteSafetensors(content);
  }

  torch::Tensor Forward(const Batch& batch) {
    return network_->forward(
        NormaliseInput(batch.pixels, static_cast<int64_t>(batch.labels.size()), spec_, device_));
  }

  torch::Tensor Labels(const Batch& batch) const {
    const auto count = static_cast<int64_t>(batch.labels.size());
    return torch::from_blob(const_cast<int32_t*>(batch.labels.data()), {count}, torch::kInt32)
        .to(device_)
        .to(torch::kInt64);
  }

  static BatchOutcome Outcome(const torch::Tensor& logits, const torch::Tensor& mean_loss,
                              const Batch& batch) {
    BatchOutcome outcome;
    outcome.loss_sum = mean_loss.item<double>() * static_cast<double>(batch.labels.size());
    const torch::Tensor best = logits.detach().argmax(1).to(torch::kInt32).cpu().contiguous();
    const int32_t* values = best.data_ptr<int32_t>();
    outcome.predictions.assign(values, values + best.numel());
    return outcome;
  }

  const NetworkSpec spec_;
  const torch::Device device_;
  const std::shared_ptr<NetworkModule> network_;
  FlatWeights flat_;
  Optimizer optimizer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Trainer>> MakeTrainer(const TrainerOptions& options) {
  const absl::Status valid = CheckNetworkSpec(options.network);
  if (!valid.ok()) return valid;
  return CatchTorch([&]() -> absl::StatusOr<std::unique_ptr<Trainer>> {
    return std::make_unique<TorchTrainer>(options);
  });
}

}  // namespace switchyard::worker
