// `switchyard up` as a process under test, and the command line in front of it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/e2e/process.h"

namespace switchyard::e2e {

struct Output {
  int exit_code;
  std::string text;  // Both outputs.
};

// Runs a shell command to its end.
Output RunShell(const std::string& command);

// Looks every 10 ms until `done` or the time is over.
bool Eventually(const std::function<bool()>& done, double seconds = 20);

// The text between `"NAME":"` and the next quote.
std::string JsonText(const std::string& json, const std::string& name);

std::string ReadAll(const std::string& path);

// Path of the command line.
std::string SwitchyardBinary();

class UpTest : public testing::Test {
 protected:
  UpTest();
  ~UpTest() override;

  std::string data() const { return directory_ + "/data"; }
  std::string UpLog() const { return ReadAll(directory_ + "/up.log"); }

  // One CPU worker, free ports, noop allowed.
  void StartUp();
  void StopUp();
  // The command line, with the operator's token.
  Output Cli(const std::string& arguments) const;
  // The same with a token of its own; empty: without any.
  Output CliAs(const std::string& token, const std::string& arguments) const;
  pid_t ChildNamed(const std::string& name) const;

  std::string directory_;
  std::string http_, grpc_;
  std::unique_ptr<Process> up_;
};

}  // namespace switchyard::e2e
