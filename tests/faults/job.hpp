#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/faults/kinds.hpp"

namespace gradus::faults {

/// The files of a folder and of those within, by their names in it, with their contents.
using Files = std::map<std::string, std::string>;

/// A command line that is run with faults, again and again, each time from the same folder.
struct Job {
  std::string name;
  std::vector<std::string> words;  ///< the program and its arguments; it runs in the folder
  Files inputs;                    ///< that are there before
  std::vector<std::string> outputs =
      {};                  ///< files that it writes; "old" is there before in every second fault
  bool draws = false;      ///< by gnuplot and graphviz, which the others do not find
  std::string facts = {};  ///< a file that tells of the machine, where that can be found out
  std::string says = {};   ///< that is enough of a reason where a library's call of the system fails
  std::string log = {};    ///< what files begin with that grow as it runs, under names of their own
};

/// How a run ended.
struct Outcome {
  int status = 0;  ///< that it exited with
  int signal = 0;  ///< that ended it, or 0; SIGALRM where it took too long
  std::string output, errors;
  std::array<std::uint64_t, kinds> counts{};
  std::uint64_t struck = 0;
};

/// Runs command lines in a folder of its own under the shim.
class Runner {
 public:
  Runner(std::filesystem::path scratch, std::filesystem::path shim);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Runs in `files`, which then become what the folder holds; `fault` is what GRADUS_FAULT says, or empty.
  Outcome run(const Job& job, Files& files, const std::string& fault);

 private:
  std::filesystem::path work() const { return scratch_ / "work"; }
  void fill(const Files& files);

  std::filesystem::path scratch_, shim_;
  Files there_;  // what the folder holds
  Page* page_ = nullptr;
};

/// The jobs that the sweep knows: every command of the program, and `library`, a program of the tests.
/// Inputs that the program itself must write, models and checkpoints, are made by undisturbed runs.
std::vector<Job> all_jobs(Runner& runner, const std::string& program, const std::string& library);

}  // namespace gradus::faults
