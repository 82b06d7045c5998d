#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "tests/faults/job.hpp"
#include "tests/support/folder.hpp"

namespace gradus::faults {

namespace {

namespace fs = std::filesystem;

constexpr unsigned most_seconds = 20;
constexpr int not_run = 127;

Files files_in(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (!entry.is_directory())
      files[fs::relative(entry.path(), folder).string()] = test::contents(entry.path());
  return files;
}

// In the child: takes the place of the program. It is killed when it takes too long.
[[noreturn]] void become(const std::vector<std::string>& words, const fs::path& work,
                         const fs::path& scratch) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  constexpr mode_t for_all = 0666;
  dup2(open((scratch / "output").c_str(), O_CREAT | O_TRUNC | O_WRONLY, for_all), STDOUT_FILENO);
  dup2(open((scratch / "errors").c_str(), O_CREAT | O_TRUNC | O_WRONLY, for_all), STDERR_FILENO);
  if (chdir(work.c_str()) != 0) _exit(not_run);
  alarm(most_seconds);
  execv(arguments.front(), arguments.data());
  _exit(not_run);
}

}  // namespace

Runner::Runner(fs::path scratch, fs::path shim) : scratch_(std::move(scratch)), shim_(std::move(shim)) {
  fs::create_directories(work());
  const fs::path counts = scratch_ / "counts";
  const int file = open(counts.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  void* memory = MAP_FAILED;
  if (file >= 0 && ftruncate(file, sizeof(Page)) == 0)
    memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) throw std::runtime_error(counts.string() + " cannot be made");
  close(file);
  page_ = static_cast<Page*>(memory);
}

Runner::~Runner() { munmap(page_, sizeof(Page)); }

void Runner::fill(const Files& files) {
  if (files == there_) return;
  // The folders, too, are to be as they were.
  fs::remove_all(work());
  fs::create_directories(work());
  for (const auto& [name, content] : files) {
    fs::create_directories((work() / name).parent_path());
    std::ofstream(work() / name, std::ios::binary) << content;
  }
}

Outcome Runner::run(const Job& job, Files& files, const std::string& fault) {
  fill(files);
  for (auto& count : page_->counts) count = 0;
  page_->struck = 0;
  const pid_t child = fork();
  if (child == 0) {
    setenv("LD_PRELOAD", shim_.c_str(), 1);
    setenv("GRADUS_FAULT_COUNTS", (scratch_ / "counts").c_str(), 1);
    if (!fault.empty()) setenv("GRADUS_FAULT", fault.c_str(), 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    if (!job.draws) setenv("PATH", "/nonexistent", 1);
    setenv("HOME", "/nonexistent", 1);
    become(job.words, work(), scratch_);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) throw std::runtime_error("no process can be started");
  Outcome outcome;
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (outcome.status == not_run) throw std::runtime_error(job.words.front() + " cannot be run");
  outcome.output = test::contents(scratch_ / "output");
  outcome.errors = test::contents(scratch_ / "errors");
  for (std::size_t i = 0; i < kinds; ++i) outcome.counts[i] = page_->counts[i];
  outcome.struck = page_->struck;
  files = files_in(work());
  there_ = files;
  return outcome;
}

}  // namespace gradus::faults
