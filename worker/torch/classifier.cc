#include "worker/torch/classifier.h"

#include "worker/torch/catch_torch.h"
#include "worker/torch/memory/counting_allocator.h"
#include "worker/torch/network_module.h"

namespace switchyard::worker {
namespace {

class TorchClassifier final : public Classifier {
 public:
  TorchClassifier(const NetworkSpec& spec, std::shared_ptr<NetworkModule> network,
                  const torch::Device& device)
      : spec_(spec), network_(std::move(network)), device_(device) {
    for (const torch::Tensor& weight : network_->parameters()) {
      size_bytes_ += static_cast<int64_t>(weight.nbytes());
    }
  }

  const NetworkSpec& network() const override { return spec_; }
  int64_t size_bytes() const override { return size_bytes_; }

  absl::StatusOr<std::vector<float>> Classify(absl::Span<const uint8_t> pixels,
                                              int count) override {
    return CatchTorch([&]() -> absl::StatusOr<std::vector<float>> {
      const torch::InferenceMode inference;
      const torch::Tensor input = NormaliseInput(pixels, count, spec_, device_);
      const torch::Tensor chances = torch::softmax(network_->forward(input), 1).cpu().contiguous();
      const float* values = chances.data_ptr<float>();
      return std::vector<float>(values, values + chances.numel());
    });
  }

 private:
  const NetworkSpec spec_;
  const std::shared_ptr<NetworkModule> network_;
  const torch::Device device_;
  int64_t size_bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Classifier>> LoadClassifier(const NetworkSpec& network,
                                                           const Safetensors& weights,
                                                           const std::string& device) {
  const absl::Status valid = CheckNetworkSpec(network);
  if (!valid.ok()) return valid;
  return CatchTorch([&]() -> absl::StatusOr<std::unique_ptr<Classifier>> {
    const OutsideAttempts outside;
    std::shared_ptr<NetworkModule> module = MakeNetwork(network, /*seed=*/0);
    const absl::StatusOr<bool> loaded = LoadState(*module, weights, /*keep_new_head=*/false);
    if (!loaded.ok()) return loaded.status();
    module->to(torch::Device(device));
    module->eval();
    for (torch::Tensor& weight : module->parameters()) weight.set_requires_grad(false);
    return std::make_unique<TorchClassifier>(network, std::move(module), torch::Device(device));
  });
}

}  // namespace switchyard::worker
