#include "worker/tasks/command/command_output.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace switchyard::worker {
namespace {

constexpr size_t kMostDeclared = 64;
constexpr size_t kMostErrorBytes = 300;

template <typename... Calls>
struct Overloaded : Calls... {
  using Calls::operator()...;
};
template <typename... Calls>
Overloaded(Calls...) -> Overloaded<Calls...>;

}  // namespace

CommandOutputs::CommandOutputs(AttemptContext& context, Clock& clock)
    : context_(context),
      clock_(clock),
      out_([this](absl::string_view line, bool redrawn) { OnLine(Stream::kOut, line, redrawn); }),
      error_([this](absl::string_view line, bool redrawn) {
        OnLine(Stream::kError, line, redrawn);
      }) {}

void CommandOutputs::Add(Stream stream, absl::string_view bytes) {
  (stream == Stream::kOut ? out_ : error_).Add(bytes);
}

void CommandOutputs::Finish() {
  out_.Finish();
  error_.Finish();
  SayDropped();
}

bool CommandOutputs::TakeCheckpointWish() { return std::exchange(checkpoint_wish_, false); }

void CommandOutputs::OnLine(Stream stream, absl::string_view line, bool redrawn) {
  if (stream == Stream::kOut) {
    if (const std::optional<ProtocolLine> said = ParseProtocolLine(line)) return OnProtocol(*said);
  }
  const absl::Duration now = clock_.BootTime();
  if (redrawn && (line.empty() || !redrawn_.Allow(now))) return;
  if (stream == Stream::kError && !absl::StripAsciiWhitespace(line).empty())
    last_error_line_ = std::string(line.substr(0, kMostErrorBytes));
  if (!lines_.Allow(now)) {
    ++dropped_;
    return;
  }
  SayDropped();
  context_.Log(stream == Stream::kOut ? api::LogLine::INFO : api::LogLine::WARNING, line);
}

void CommandOutputs::OnProtocol(const ProtocolLine& line) {
  std::visit(Overloaded{[this](const ProgressLine& said) {
                          context_.Progress(said.fraction, said.message);
                        },
                        [this](const MetricLine& said) {
                          if (metrics_.Allow(clock_.BootTime()))
                            context_.Metric(said.name, said.step, said.value);
                        },
                        [this](const OutputLine& said) {
                          if (declared_.size() >= kMostDeclared) return;
                          api::CommandOutput& output = declared_.emplace_back();
                          output.set_name(said.name);
                          output.set_path(said.path);
                        },
                        [this](const CheckpointLine&) { checkpoint_wish_ = true; }},
             line);
}

void CommandOutputs::SayDropped() {
  if (dropped_ == dropped_said_) return;
  context_.Log(api::LogLine::WARNING,
               absl::StrCat("(", dropped_ - dropped_said_, " lines came faster than ",
                            kLinesPerSecond, " a second and are not in the log)"));
  dropped_said_ = dropped_;
}

}  // namespace switchyard::worker
