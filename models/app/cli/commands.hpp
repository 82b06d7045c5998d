#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

/// All commands of the program.
namespace gradus::cli {

/// A command that is ready to run; returns the exit status.
using Chosen = std::function<int()>;

/// The words of a command line, which are parsed without anything being run.
class CommandLine {
 public:
  /// The words behind the program's name.
  explicit CommandLine(std::vector<std::string> words);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine();

  /// The command that they ask for, with its options; it must not outlive this. Error, a line that says what
  /// to type instead, for words that make none. To be called once.
  Chosen parse();

  /// All commands and options, to be looked at.
  const CLI::App& app() const { return *app_; }

 private:
  struct Arguments;

  std::vector<std::string> words_;
  std::unique_ptr<Arguments> arguments_;
  Chosen chosen_;
  std::unique_ptr<CLI::App> app_;
};

}  // namespace gradus::cli
