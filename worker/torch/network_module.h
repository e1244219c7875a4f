// Networks as torch modules. For the .cc files of this folder only: it names torch.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "worker/torch/network.h"
#include "worker/torch/safetensors.h"
#include "worker/torch/torch_header.h"

namespace switchyard::worker {

// A classifier: (samples, channels, size, size) normalised floats in, (samples, classes) logits
// out. Its last layer is the member `fc`, whatever the architecture.
class NetworkModule : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(torch::Tensor x) = 0;
};

// Built on the CPU with weights drawn from `seed` alone. REQUIRES: CheckNetworkSpec(spec) is OK.
// May throw.
std::shared_ptr<NetworkModule> MakeNetwork(const NetworkSpec& spec, uint64_t seed);

// Bytes (samples, channels, size, size) on any device to what `forward` takes, on `device`.
torch::Tensor NormaliseInput(absl::Span<const uint8_t> pixels, int64_t samples,
                             const NetworkSpec& spec, const torch::Device& device);

// Parameters and buffers by name, on the CPU; views of `Safetensors` made from it point into them.
std::map<std::string, torch::Tensor> TakeState(const torch::nn::Module& module);
TensorView ViewOf(const torch::Tensor& cpu_contiguous);
// A new CPU tensor with the view's content.
torch::Tensor ToTensor(const TensorView& view);

// Fills parameters and buffers in place. Tensors named `optimizer.*` are passed over; counters of
// batches seen may be missing, as older files lack them. With `keep_new_head`, an `fc` for another
// number of classes is left as it is. Gives whether that was so. INVALID_ARGUMENT names the first
// tensor that does not fit.
absl::StatusOr<bool> LoadState(torch::nn::Module& module, const Safetensors& file,
                               bool keep_new_head);

}  // namespace switchyard::worker
