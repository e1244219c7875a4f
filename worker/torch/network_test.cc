#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "worker/torch/classifier.h"
#include "worker/torch/device.h"
#include "worker/torch/trainer.h"

namespace switchyard::worker {
namespace {

using ::testing::HasSubstr;

NetworkSpec Spec(const char* architecture, int classes, int image_size) {
  NetworkSpec spec;
  spec.architecture = architecture;
  spec.classes = classes;
  spec.input = {3, image_size};
  spec.mean = {0.5f, 0.5f, 0.5f};
  spec.standard_deviation = {0.25f, 0.25f, 0.25f};
  return spec;
}

TrainerOptions Options(UpdateRule rule = UpdateRule::kAdam) {
  TrainerOptions options;
  options.network = Spec("small_cnn", 3, 8);
  options.rule = rule;
  options.seed = 7;
  return options;
}

std::unique_ptr<Trainer> Make(const TrainerOptions& options) {
  EXPECT_TRUE(UseDevice({"cpu", "", 1}).ok());
  auto trainer = MakeTrainer(options);
  EXPECT_TRUE(trainer.ok()) << trainer.status();
  return *std::move(trainer);
}

// Samples whose class shows in their first channel.
struct Toy {
  std::vector<uint8_t> pixels;
  std::vector<int32_t> labels;
  explicit Toy(int count) {
    for (int i = 0; i < count; ++i) {
      labels.push_back(i % 3);
      for (int k = 0; k < 3 * 8 * 8; ++k) {
        pixels.push_back(
            static_cast<uint8_t>(k < 64 ? 80 * (i % 3) + (i * 7 + k) % 20 : (i * k) % 100));
      }
    }
  }
  Batch batch() const { return {pixels, labels}; }
};

int64_t WeightCount(const Safetensors& file) {
  int64_t count = 0;
  for (const auto& [name, tensor] : file.tensors) {
    const bool buffer = absl::string_view(name).find("running_") != absl::string_view::npos ||
                        absl::string_view(name).find("num_batches") != absl::string_view::npos;
    if (!buffer) count += static_cast<int64_t>(tensor.bytes.size()) / 4;
  }
  return count;
}

TEST(ResNet18, HasTheSizeAndTheNamesThatTheWorldKnows) {
  TrainerOptions options = Options();
  options.network = Spec("resnet18", 1000, 32);
  const std::string weights = *Make(options)->Weights();
  const Safetensors file = *ReadSafetensors(weights);
  EXPECT_EQ(WeightCount(file), 11'689'512);
  for (const char* name :
       {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight",
        "layer2.0.downsample.1.num_batches_tracked", "layer4.1.bn2.bias", "fc.bias"}) {
    EXPECT_EQ(file.tensors.count(name), 1u) << name;
  }
  EXPECT_EQ(file.tensors.size(), 122u);
  const auto classifier = LoadClassifier(options.network, file, "cpu");
  ASSERT_TRUE(classifier.ok()) << classifier.status();
  const auto chances = (*classifier)->Classify(std::vector<uint8_t>(2 * 3 * 32 * 32, 90), 2);
  ASSERT_TRUE(chances.ok()) << chances.status();
  ASSERT_EQ(chances->size(), 2000u);
  EXPECT_NEAR(std::accumulate(chances->begin(), chances->begin() + 1000, 0.0), 1, 1e-4);
}

TEST(Trainer, LearnsUnderEveryRule) {
  const Toy toy(30);
  for (const UpdateRule rule : {UpdateRule::kSgd, UpdateRule::kAdam, UpdateRule::kAdamW}) {
    TrainerOptions options = Options(rule);
    const double rate = rule == UpdateRule::kSgd ? 0.02 : 0.003;
    options.weight_decay = 1e-4;
    const auto trainer = Make(options);
    const double before = trainer->Step(toy.batch(), rate)->loss_sum;
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(trainer->Step(toy.batch(), rate).ok());
    const BatchOutcome after = *trainer->Step(toy.batch(), rate);
    EXPECT_LT(after.loss_sum, before / 3);
    EXPECT_EQ(after.predictions, toy.labels);
  }
}

TEST(Trainer, DrawsItsWeightsFromTheSeedAlone) {
  TrainerOptions other = Options();
  other.seed = 8;
  const std::string weights = *Make(Options())->Weights();
  EXPECT_EQ(weights, *Make(Options())->Weights());
  EXPECT_NE(weights, *Make(other)->Weights());
}

TEST(Trainer, GoesOnBitForBitFromItsState) {
  const Toy toy(12);
  for (const UpdateRule rule : {UpdateRule::kSgd, UpdateRule::kAdamW}) {
    const auto whole = Make(Options(rule));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(whole->Step(toy.batch(), 0.001).ok());
    const std::string state = *whole->State({{"k", "v"}});
    const auto resumed = Make(Options(rule));
    const Safetensors file = *ReadSafetensors(state);
    EXPECT_EQ(file.metadata.at("k"), "v");
    ASSERT_TRUE(resumed->Restore(file).ok());
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(whole->Step(toy.batch(), 0.001).ok());
      ASSERT_TRUE(resumed->Step(toy.batch(), 0.001).ok());
    }
    EXPECT_EQ(*whole->State({}), *resumed->State({}));
  }
}

TEST(Trainer, KeepsAFreshHeadForAnotherNumberOfClasses) {
  const std::string weights = *Make(Options())->Weights();
  TrainerOptions wider = Options();
  wider.network.classes = 5;
  const auto trainer = Make(wider);
  const auto fresh_head = trainer->LoadWeights(*ReadSafetensors(weights));
  ASSERT_TRUE(fresh_head.ok()) << fresh_head.status();
  EXPECT_TRUE(*fresh_head);
  EXPECT_FALSE(*Make(Options())->LoadWeights(*ReadSafetensors(weights)));
}

TEST(Trainer, NamesTheTensorThatDoesNotFit) {
  const std::string weights = *Make(Options())->Weights();
  Safetensors missing = *ReadSafetensors(weights);
  missing.tensors.erase("conv2.weight");
  EXPECT_THAT(std::string(Make(Options())->LoadWeights(missing).status().message()),
              HasSubstr("'conv2.weight' is missing"));
  Safetensors stranger = *ReadSafetensors(weights);
  stranger.tensors["layer1.0.conv1.weight"] = stranger.tensors["fc.bias"];
  EXPECT_THAT(std::string(Make(Options())->LoadWeights(stranger).status().message()),
              HasSubstr("another architecture"));
  TrainerOptions grey = Options();
  grey.network.input.channels = 1;
  grey.network.mean = {0};
  grey.network.standard_deviation = {1};
  EXPECT_THAT(std::string(Make(grey)->LoadWeights(*ReadSafetensors(weights)).status().message()),
              HasSubstr("'conv1.weight' has shape"));
}

TEST(Trainer, SummedPartsStepAsTheWholeBatchDoes) {
  // The parts are alike, so batch normalisation sees in each what it sees in the whole.
  TrainerOptions options = Options();
  const size_t bytes = static_cast<size_t>(options.network.input.bytes());
  std::vector<uint8_t> pixels;
  for (int repeat = 0; repeat < 2; ++repeat) {
    for (size_t i = 0; i < 4 * bytes; ++i) pixels.push_back(static_cast<uint8_t>(i * 7 % 251));
  }
  const std::vector<int32_t> labels = {0, 1, 2, 1, 0, 1, 2, 1};
  options.rule = UpdateRule::kSgd;
  const auto whole = *MakeTrainer(options);
  const auto parts = *MakeTrainer(options);
  const std::vector<size_t> ends = {4, 8};
  const auto first = whole->Step({pixels, labels}, 0.01);
  const auto second = parts->Step({pixels, labels}, 0.01, ends);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NEAR(first->loss_sum, second->loss_sum, 1e-4);
  EXPECT_EQ(first->predictions, second->predictions);
  const auto after = whole->Step({pixels, labels}, 0.01);
  const auto after_parts = parts->Step({pixels, labels}, 0.01, ends);
  EXPECT_NEAR(after->loss_sum, after_parts->loss_sum, 1e-3);
  EXPECT_LT(after->loss_sum, first->loss_sum);
}

TEST(Network, SaysWhatItCannotBe) {
  EXPECT_THAT(std::string(CheckNetworkSpec(Spec("vgg", 3, 8)).message()),
              HasSubstr("resnet18, small_cnn"));
  EXPECT_FALSE(CheckNetworkSpec(Spec("resnet18", 3, 8)).ok());
  EXPECT_FALSE(CheckNetworkSpec(Spec("small_cnn", 0, 8)).ok());
  NetworkSpec flat = Spec("small_cnn", 3, 8);
  flat.standard_deviation = {0.2f, 0, 0.2f};
  EXPECT_FALSE(CheckNetworkSpec(flat).ok());
}

TEST(Device, RefusesADeviceThatIsNotHere) {
  EXPECT_THAT(std::string(UseDevice({"cuda:63", "", 1}).message()), HasSubstr("there are: cpu"));
}

TEST(Device, TurnsTheMemoryLimitIntoTheOutOfMemoryOutcome) {
  const auto backend = MakeTorchBackend();
  const DeviceHandle cpu = {"cpu", "", 1};
  ASSERT_TRUE(backend->Prepare(cpu, {.memory_bytes = 1 << 20}).ok());
  TrainerOptions options = Options();
  options.network = Spec("resnet18", 3, 32);
  const auto trainer = MakeTrainer(options);
  ASSERT_TRUE(backend->Prepare(cpu, {.memory_bytes = 0}).ok());
  EXPECT_EQ(trainer.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(trainer.status().message()), HasSubstr("memory"));
  EXPECT_TRUE(backend->RunKernel().ok());
  EXPECT_TRUE(MakeTrainer(options).ok());
}

}  // namespace
}  // namespace switchyard::worker
