// The networks. A further architecture is a class here and a line in the table below; nothing else
// knows their names.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/error.h"
#include "worker/torch/network_module.h"

namespace switchyard::worker {
namespace {

namespace nn = torch::nn;

nn::Conv2d Convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  return nn::Conv2d(
      nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

// Four 3x3 convolutions, each with batch normalisation; the first three are followed by 2x2 max
// pooling; then the mean over what is left of the picture. 250,000 weights: trains in seconds on a
// CPU.
class SmallCnn final : public NetworkModule {
 public:
  explicit SmallCnn(const NetworkSpec& spec) {
    const int64_t widths[] = {spec.input.channels, 16, 32, 64, 128};
    for (int i = 0; i < kStages; ++i) {
      convolutions_[i] =
          register_module(absl::StrCat("conv", i + 1), Convolution(widths[i], widths[i + 1], 3, 1));
      norms_[i] = register_module(absl::StrCat("bn", i + 1), nn::BatchNorm2d(widths[i + 1]));
    }
    fc_ = register_module("fc", nn::Linear(widths[kStages], spec.classes));
  }

  torch::Tensor forward(torch::Tensor x) override {
    for (int i = 0; i < kStages; ++i) {
      x = torch::relu(norms_[i](convolutions_[i](x)));
      if (i + 1 < kStages) x = torch::max_pool2d(x, 2);
    }
    return fc_(x.mean({2, 3}));
  }

 private:
  static constexpr int kStages = 4;
  nn::Conv2d convolutions_[kStages] = {nullptr, nullptr, nullptr, nullptr};
  nn::BatchNorm2d norms_[kStages] = {nullptr, nullptr, nullptr, nullptr};
  nn::Linear fc_ = nullptr;
};

// Two 3x3 convolutions around which the input passes unchanged, or through a 1x1 convolution where
// the size changes.
class BasicBlock final : public nn::Module {
 public:
  BasicBlock(int64_t in, int64_t out, int64_t stride) {
    conv1_ = register_module("conv1", Convolution(in, out, 3, stride));
    bn1_ = register_module("bn1", nn::BatchNorm2d(out));
    conv2_ = register_module("conv2", Convolution(out, out, 3, 1));
    bn2_ = register_module("bn2", nn::BatchNorm2d(out));
    if (stride == 1 && in == out) return;
    downsample_ = register_module(
        "downsample", nn::Sequential(Convolution(in, out, 1, stride), nn::BatchNorm2d(out)));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = torch::relu(bn1_(conv1_(x)));
    y = bn2_(conv2_(y));
    return torch::relu(y + (downsample_.is_empty() ? x : downsample_->forward(x)));
  }

 private:
  nn::Conv2d conv1_ = nullptr;
  nn::BatchNorm2d bn1_ = nullptr;
  nn::Conv2d conv2_ = nullptr;
  nn::BatchNorm2d bn2_ = nullptr;
  nn::Sequential downsample_ = nullptr;
};

// He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2016, the 18-layer network.
// Tensor names are torchvision's, so its weights load.
class ResNet18 final : public NetworkModule {
 public:
  explicit ResNet18(const NetworkSpec& spec) {
    conv1_ = register_module("conv1", Convolution(spec.input.channels, 64, 7, 2));
    bn1_ = register_module("bn1", nn::BatchNorm2d(64));
    const int64_t widths[] = {64, 64, 128, 256, 512};
    for (int i = 0; i < 4; ++i) {
      nn::Sequential layer;
      layer->push_back(BasicBlock(widths[i], widths[i + 1], i == 0 ? 1 : 2));
      layer->push_back(BasicBlock(widths[i + 1], widths[i + 1], 1));
      layers_[i] = register_module(absl::StrCat("layer", i + 1), layer);
    }
    fc_ = register_module("fc", nn::Linear(512, spec.classes));
  }

  torch::Tensor forward(torch::Tensor x) override {
    x = torch::relu(bn1_(conv1_(x)));
    x = torch::max_pool2d(x, 3, 2, 1);
    for (nn::Sequential& layer : layers_) x = layer->forward(x);
    // Adaptive average pooling to one pixel is this mean, whose backward is deterministic on GPUs
    // too.
    return fc_(x.mean({2, 3}));
  }

 private:
  nn::Conv2d conv1_ = nullptr;
  nn::BatchNorm2d bn1_ = nullptr;
  nn::Sequential layers_[4] = {nullptr, nullptr, nullptr, nullptr};
  nn::Linear fc_ = nullptr;
};

struct Architecture {
  absl::string_view name;
  int default_image_size;
  int smallest_image_size;
  std::shared_ptr<NetworkModule> (*make)(const NetworkSpec&);
};

// Sorted by name.
const Architecture kArchitectures[] = {
    {"resnet18", 224, 32,
     [](const NetworkSpec& spec) -> std::shared_ptr<NetworkModule> {
       return std::make_shared<ResNet18>(spec);
     }},
    {"small_cnn", 32, 8,
     [](const NetworkSpec& spec) -> std::shared_ptr<NetworkModule> {
       return std::make_shared<SmallCnn>(spec);
     }},
};

const Architecture* Find(absl::string_view name) {
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == name) return &architecture;
  }
  return nullptr;
}

// Convolutions as He et al. 2015 (normal, by fan out), the last layer uniform by fan in, norms 1
// and 0: torchvision's choices, drawn from one generator in the order of the names.
void Initialise(nn::Module& module, uint64_t seed) {
  const torch::NoGradGuard no_grad;
  at::Generator generator = at::detail::createCPUGenerator(seed);
  for (const auto& item : module.named_parameters()) {
    torch::Tensor weight = item.value();
    if (weight.dim() == 4) {
      const double fan_out = static_cast<double>(weight.size(0) * weight.size(2) * weight.size(3));
      weight.normal_(0, std::sqrt(2 / fan_out), generator);
    } else if (weight.dim() == 2) {
      const double bound = 1 / std::sqrt(static_cast<double>(weight.size(1)));
      weight.uniform_(-bound, bound, generator);
    } else if (item.key() == "fc.bias") {
      weight.zero_();
    }
  }
}

absl::Status Bad(absl::string_view reason, absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message);
}

}  // namespace

std::vector<std::string> ArchitectureNames() {
  std::vector<std::string> names;
  for (const Architecture& architecture : kArchitectures) names.emplace_back(architecture.name);
  return names;
}

int DefaultImageSize(absl::string_view architecture) {
  const Architecture* found = Find(architecture);
  return found == nullptr ? 0 : found->default_image_size;
}

absl::Status CheckNetworkSpec(const NetworkSpec& spec) {
  const Architecture* found = Find(spec.architecture);
  if (found == nullptr) {
    return Bad("UNKNOWN_ARCHITECTURE",
               absl::StrCat("architecture '", spec.architecture, "' is not known; there are: ",
                            absl::StrJoin(ArchitectureNames(), ", ")));
  }
  if (spec.classes < 1) return Bad("NO_CLASSES", "a network needs at least one class");
  if (spec.input.channels != 1 && spec.input.channels != 3) {
    return Bad("BAD_CHANNELS", absl::StrCat("channels is ", spec.input.channels, "; 1 or 3"));
  }
  if (spec.input.image_size < found->smallest_image_size || spec.input.image_size > 1024) {
    return Bad("BAD_IMAGE_SIZE",
               absl::StrCat("image_size is ", spec.input.image_size, "; ", spec.architecture,
                            " takes ", found->smallest_image_size, " to 1024"));
  }
  const size_t channels = static_cast<size_t>(spec.input.channels);
  const bool positive = std::all_of(spec.standard_deviation.begin(), spec.standard_deviation.end(),
                                    [](float value) { return value > 0; });
  if (spec.mean.size() != channels || spec.standard_deviation.size() != channels || !positive) {
    return Bad("BAD_NORMALISATION",
               "mean and standard_deviation need one value a channel, deviations above 0");
  }
  return absl::OkStatus();
}

std::shared_ptr<NetworkModule> MakeNetwork(const NetworkSpec& spec, uint64_t seed) {
  std::shared_ptr<NetworkModule> network = Find(spec.architecture)->make(spec);
  Initialise(*network, seed);
  return network;
}

}  // namespace switchyard::worker
