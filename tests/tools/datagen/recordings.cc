#include "tests/tools/datagen/recordings.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/tools/datagen/channel.h"

namespace switchyard::datagen {
namespace {

struct Recording {
  std::string name;
  std::string label;
  std::string snr_db;  // Empty: none.
  Signal signal;
};

absl::Status WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file.good()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("cannot write ", path));
}

std::string Metadata(const RecordingsOptions& options, const Recording& recording) {
  const std::string ratio =
      recording.snr_db.empty() ? "" : absl::StrCat(", \"switchyard:snr_db\": ", recording.snr_db);
  return absl::StrFormat(
      R"({
  "global": {
    "core:datatype": "ci16_le", "core:sample_rate": %.0f, "core:version": "1.0.0",
    "core:description": "synthetic %s, seed %d",
    "core:extensions": [{"name": "switchyard", "version": "1.0.0", "optional": true}]
  },
  "captures": [{"core:sample_start": 0}],
  "annotations": [{"core:sample_start": 0, "core:sample_count": %d, "core:label": "%s"%s}]
}
)",
      options.sample_rate_hz, recording.label, options.seed, options.samples, recording.label,
      ratio);
}

// Full scale is the recording's own peak, as a receiver with gain control leaves it.
std::string Samples16(const Signal& signal) {
  double peak = 1e-12;
  for (const std::complex<double>& sample : signal) {
    peak = std::max({peak, std::abs(sample.real()), std::abs(sample.imag())});
  }
  std::string bytes;
  const auto append = [&](double value) {
    const auto number = static_cast<uint16_t>(std::lround(value / peak * 32000));
    bytes += static_cast<char>(number & 0xff);
    bytes += static_cast<char>(number >> 8);
  };
  for (const std::complex<double>& sample : signal) {
    append(sample.real());
    append(sample.imag());
  }
  return bytes;
}

// Every recording has a source of its own, so that one more class changes no other.
Random RandomFor(const RecordingsOptions& options, const std::string& label, int index) {
  uint64_t mixed = options.seed * 1'000'003 + static_cast<uint64_t>(index);
  for (const char c : label) mixed = mixed * 1099511628211u ^ static_cast<uint8_t>(c);
  return Random(mixed);
}

Recording MakeNoise(const RecordingsOptions& options, int index) {
  Random random = RandomFor(options, "noise", index);
  return {absl::StrFormat("noise_%04d", index), "noise", "", NoiseOnly(random, options.samples)};
}

Recording MakeRecording(const RecordingsOptions& options, const WaveformClass& waveform,
                        int index) {
  Random random = RandomFor(options, waveform.label, index);
  ChannelOptions channel;
  channel.snr_db = options.snr_db[static_cast<size_t>(index) % options.snr_db.size()];
  channel.most_offset = waveform.most_offset;
  const Signal sent = waveform.make(random, options.samples);
  const std::string ratio = absl::StrCat(channel.snr_db);
  return {absl::StrFormat("%s_snr%s_%04d", waveform.label, ratio, index), waveform.label, ratio,
          PassChannel(random, sent, channel)};
}

absl::Status Write(const RecordingsOptions& options, const Recording& recording,
                   std::string& labels) {
  const std::string stem = absl::StrCat(options.directory, "/", recording.name);
  absl::StrAppend(&labels, recording.name, ".sigmf-meta,", recording.label, ",", recording.snr_db,
                  "\n");
  const absl::Status status = WriteFile(stem + ".sigmf-meta", Metadata(options, recording));
  return status.ok() ? WriteFile(stem + ".sigmf-data", Samples16(recording.signal)) : status;
}

}  // namespace

absl::Status WriteRecordings(const RecordingsOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  std::string labels = "item,label,snr_db\n";
  for (int i = 0; i < options.per_class; ++i) {
    absl::Status status = Write(options, MakeNoise(options, i), labels);
    for (const WaveformClass& waveform : WaveformClasses()) {
      if (status.ok()) status = Write(options, MakeRecording(options, waveform, i), labels);
    }
    if (!status.ok()) return status;
  }
  return WriteFile(options.directory + "/labels.csv", labels);
}

}  // namespace switchyard::datagen
