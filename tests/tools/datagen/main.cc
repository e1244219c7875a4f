// switchyard-datagen: data to try Switchyard with. `digits` unpacks the UCI optical digits into
// image folders, `rf` makes labelled IQ recordings.
#include <CLI/CLI.hpp>
#include <iostream>

#include "tests/tools/datagen/digits.h"
#include "tests/tools/datagen/recordings.h"

int main(int argc, char** argv) {
  CLI::App app("Makes data to train and test on.");
  app.require_subcommand(1);

  switchyard::datagen::DigitsOptions digits;
  CLI::App* digits_command =
      app.add_subcommand("digits", "UCI optical digits as image folders, some held out");
  digits_command->add_option("csv_gz", digits.csv_gz, "64 pixels of 0 to 16 and a label a line")
      ->required();
  digits_command->add_option("train", digits.train_dir, "folder to learn from")->required();
  digits_command->add_option("test", digits.test_dir, "folder held out")->required();
  digits_command
      ->add_option("--test-fraction", digits.test_fraction, "share of each class held out")
      ->check(CLI::Range(0.0, 0.9));
  digits_command->add_option("--seed", digits.seed, "which are held out");

  switchyard::datagen::RecordingsOptions recordings;
  CLI::App* rf_command = app.add_subcommand("rf", "IQ recordings as SigMF pairs");
  rf_command->add_option("out", recordings.directory, "folder to write")->required();
  rf_command->add_option("--seed", recordings.seed, "other seed, other recordings");
  rf_command->add_option("--per-class", recordings.per_class, "recordings of each class")
      ->check(CLI::PositiveNumber);
  rf_command->add_option("--snr-db", recordings.snr_db, "signal-to-noise ratios, in turn")
      ->delimiter(',');
  rf_command->add_option("--samples", recordings.samples, "of one recording")
      ->check(CLI::Range(1024, 1 << 24));

  CLI11_PARSE(app, argc, argv);
  const absl::Status status = digits_command->parsed()
                                  ? switchyard::datagen::WriteDigits(digits)
                                  : switchyard::datagen::WriteRecordings(recordings);
  if (status.ok()) return 0;
  std::cerr << "switchyard-datagen: " << status.message() << "\n";
  return 1;
}
