#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error.h"
#include "worker/torch/network_module.h"

namespace switchyard::worker {
namespace {

torch::ScalarType ToTorch(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return torch::kFloat32;
    case ElementType::kFloat16:
      return torch::kFloat16;
    case ElementType::kBFloat16:
      return torch::kBFloat16;
    case ElementType::kFloat64:
      return torch::kFloat64;
    case ElementType::kInt64:
      return torch::kInt64;
    case ElementType::kInt32:
      return torch::kInt32;
    case ElementType::kUint8:
      return torch::kUInt8;
  }
  return torch::kFloat32;
}

std::string ShapeText(torch::IntArrayRef shape) {
  return absl::StrCat("(", absl::StrJoin(shape.begin(), shape.end(), ", "), ")");
}

absl::Status WrongTensor(absl::string_view name, absl::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "WRONG_WEIGHTS",
                   absl::StrCat("the weights do not fit the network: tensor '", name, "' ", why),
                   {{"tensor", name}});
}

bool IsHead(absl::string_view name) { return name == "fc.weight" || name == "fc.bias"; }

// True when only the number of classes, the first side, differs.
bool OnlyClassesDiffer(torch::IntArrayRef have, torch::IntArrayRef want) {
  return have.size() == want.size() && !have.empty() && have[0] != want[0] &&
         std::equal(have.begin() + 1, have.end(), want.begin() + 1);
}

std::map<std::string, torch::Tensor> NamedTensors(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> all;
  for (const auto& item : module.named_parameters()) all[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) all[item.key()] = item.value();
  return all;
}

absl::Status CheckNoStrangers(const Safetensors& file,
                              const std::map<std::string, torch::Tensor>& known) {
  for (const auto& [name, view] : file.tensors) {
    if (absl::StartsWith(name, "optimizer.") || known.count(name) > 0) continue;
    return WrongTensor(name, "is not one of its tensors; is it of another architecture?");
  }
  return absl::OkStatus();
}

}  // namespace

torch::Tensor NormaliseInput(absl::Span<const uint8_t> pixels, int64_t samples,
                             const NetworkSpec& spec, const torch::Device& device) {
  const int64_t size = spec.input.image_size;
  const int64_t channels = spec.input.channels;
  // from_blob wants a mutable pointer but is only read from here.
  const torch::Tensor bytes = torch::from_blob(const_cast<uint8_t*>(pixels.data()),
                                               {samples, channels, size, size}, torch::kUInt8);
  const auto column = [&](const std::vector<float>& values) {
    return torch::tensor(values).view({1, channels, 1, 1}).to(device);
  };
  return bytes.to(device)
      .to(torch::kFloat32)
      .div_(255)
      .sub_(column(spec.mean))
      .div_(column(spec.standard_deviation));
}

std::map<std::string, torch::Tensor> TakeState(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> state = NamedTensors(module);
  for (auto& [name, tensor] : state) tensor = tensor.detach().cpu().contiguous();
  return state;
}

TensorView ViewOf(const torch::Tensor& tensor) {
  TensorView view;
  view.type = tensor.scalar_type() == torch::kInt64 ? ElementType::kInt64 : ElementType::kFloat32;
  view.shape = tensor.sizes().vec();
  view.bytes = absl::string_view(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  return view;
}

torch::Tensor ToTensor(const TensorView& view) {
  torch::Tensor tensor = torch::empty(view.shape, ToTorch(view.type));
  if (!view.bytes.empty()) std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor;
}

absl::StatusOr<bool> LoadState(torch::nn::Module& module, const Safetensors& file,
                               bool keep_new_head) {
  const torch::NoGradGuard no_grad;
  std::map<std::string, torch::Tensor> state = NamedTensors(module);
  const absl::Status strangers = CheckNoStrangers(file, state);
  if (!strangers.ok()) return strangers;
  bool head_kept = false;
  for (auto& [name, tensor] : state) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end()) {
      if (absl::EndsWith(name, "num_batches_tracked")) continue;
      return WrongTensor(name, "is missing");
    }
    const torch::IntArrayRef shape(found->second.shape);
    if (shape == tensor.sizes()) {
      tensor.copy_(ToTensor(found->second));
    } else if (keep_new_head && IsHead(name) && OnlyClassesDiffer(shape, tensor.sizes())) {
      head_kept = true;
    } else {
      return WrongTensor(
          name, absl::StrCat("has shape ", ShapeText(shape), ", not ", ShapeText(tensor.sizes())));
    }
  }
  return head_kept;
}

}  // namespace switchyard::worker
