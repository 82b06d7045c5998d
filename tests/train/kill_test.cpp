// A training that is killed, by SIGKILL at random moments, and resumed ends with the same bits as one that
// never was; a checkpoint that cannot be written is an error that leaves the last good one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "gradus/base/random.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/nn/layers.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using test::contents;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

// Dropout, batch norm, slots, a schedule and early stopping: everything that a checkpoint must hold.
Trainer<float> make_trainer() {
  return Trainer<float>({.inputs = {{"x", {B, 8}}},
                         .target = {"t", {B, 1}},
                         .network =
                             [](const std::vector<Expr>& in, Mode& mode) {
                               Expr h = batch_norm(tanh(linear(in[0], 64, "first")), "norm", mode);
                               h = dropout(h, 0.3, "drop", mode);
                               return linear(tanh(linear(h, 64, "second")), 1, "output");
                             },
                         .loss = mse,
                         .metrics = {mean_absolute_error()},
                         .optimizer = adam({.rate = 0.01}).clip_norm(1)},
                        7);
}

Dataset<float> make_data() {
  Random random(3);
  std::vector<double> x(400 * 8), t(400);
  for (double& v : x) v = random.normal();
  for (std::size_t i = 0; i < t.size(); ++i) t[i] = x[8 * i] * x[8 * i + 1] - x[8 * i + 2];
  return {400, {x, t}};
}

// One life: from the checkpoint, if there is one, to the end.
void train(const std::string& file) {
  Trainer<float> trainer = make_trainer();
  if (fs::exists(file)) trainer.resume(file);
  const History history = trainer.fit(
      make_data(),
      {.epochs = 12,
       .batch = 16,
       .validation_split = 0.1,
       .callbacks = {schedule(cosine_decay(0.01, 300), Every::step), early_stopping({.patience = 4}),
                     csv_log(file + ".csv"), checkpoint(file, {.every_steps = 3})},
       .verbose = false});
  trainer.notes()["history"] = history.csv();
  trainer.save_weights(file + ".weights");
}

class Kill : public test::FolderTest {
 protected:
  // Runs `life` in a process of its own; its exit status, or -1 when it was killed after `patience`.
  template <class Life> static int run(Life life, std::chrono::microseconds patience) {
    const pid_t child = fork();
    if (child == 0) {
      try {
        life();
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        _exit(1);
      }
      _exit(0);
    }
    int status = 0;
    const auto end = Clock::now() + patience;
    while (waitpid(child, &status, WNOHANG) == 0) {
      if (Clock::now() > end) kill(child, SIGKILL);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
};

TEST_F(Kill, AtFiftyRandomMomentsChangesNothing) {
  constexpr auto never = std::chrono::hours(1);
  const auto start = Clock::now();
  ASSERT_EQ(run([&] { train(file("whole")); }, never), 0);
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
  std::mt19937 random(5);
  int killed = 0, with_checkpoint = 0;
  for (int round = 0; killed < 50; ++round) {
    ASSERT_LT(round, 1000) << "the training always ended before it could be killed";
    // Several kills in one training: what is resumed is killed again.
    const std::chrono::microseconds patience(random() % static_cast<unsigned>(whole.count()));
    const int status = run([&] { train(file("killed")); }, patience);
    if (fs::exists(file("killed"))) {
      ++with_checkpoint;
      ASSERT_NO_THROW(TensorFile{file("killed")});  // always readable
      ASSERT_NO_THROW(make_trainer().resume(file("killed")));
    }
    if (status == -1) {
      ++killed;
      if (killed < 50) continue;
      ASSERT_EQ(run([&] { train(file("killed")); }, never), 0);
    }
    if (status > 0) FAIL() << "a resumed training failed";
    ASSERT_EQ(contents(file("whole.weights")), contents(file("killed.weights"))) << "round " << round;
    ASSERT_EQ(contents(file("whole")), contents(file("killed")));
    ASSERT_EQ(contents(file("whole.csv")), contents(file("killed.csv")));
    for (const char* name : {"killed", "killed.weights", "killed.csv"}) fs::remove(file(name));
  }
  RecordProperty("killed", killed);
  RecordProperty("killed_with_a_checkpoint", with_checkpoint);
  std::printf("killed %d times, %d of them after the first checkpoint\n", killed, with_checkpoint);
}

TEST_F(Kill, WhileAFileIsWrittenLeavesTheOneBefore) {
  write_tensors(file("f"), {}, {{"is", "good"}});
  std::mt19937 random(9);
  std::ptrdiff_t leftovers = 0;
  for (int round = 0; round < 50; ++round) {
    const auto write_again = [&] {
      const std::vector<char> zeros(1 << 20);
      for (int i = 0;; ++i) {
        const std::span<const std::byte> bytes = std::as_bytes(std::span(zeros));
        const TensorBytes tensor{"t", ElementType::u8, {1 << 20}, bytes};
        write_tensors(file("f"), std::span(&tensor, 1), {{"is", "good"}, {"round", std::to_string(i)}});
      }
    };
    EXPECT_EQ(run(write_again, std::chrono::microseconds(2000 + random() % 8000)), -1);
    EXPECT_EQ(TensorFile(file("f")).metadata().at("is"), "good");
    // Only between its making and its renaming has it another name.
    leftovers += std::distance(fs::directory_iterator(folder_), {}) - 1;
    for (const auto& entry : fs::directory_iterator(folder_))
      if (entry.path() != file("f")) fs::remove(entry.path());
  }
  EXPECT_TRUE(TensorFile(file("f")).metadata().contains("round")) << "the kills missed the writing";
  EXPECT_LT(leftovers, 10);
}

TEST_F(Kill, AFileThatMayNotGrowLeavesTheLastGoodCheckpoint) {
  Trainer<float> trainer = make_trainer();
  trainer.fit(make_data(), {.epochs = 1, .callbacks = {checkpoint(file("c"))}, .verbose = false});
  const std::string before = contents(file("c"));
  const auto starved = [&] {
    const rlimit limit{5000, 5000};
    setrlimit(RLIMIT_FSIZE, &limit);
    trainer.save_checkpoint(file("c"));
  };
  testing::internal::CaptureStderr();
  EXPECT_EQ(run(starved, std::chrono::seconds(60)), 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::AllOf(HasSubstr("c: cannot be written"), HasSubstr("File too large")));
  EXPECT_EQ(contents(file("c")), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(Kill, FoldersThatCannotBeWrittenAreErrors) {
  Trainer<float> trainer = make_trainer();
  const auto error = [&](const std::string& path) {
    try {
      trainer.save_checkpoint(path);
    } catch (const Error& refused) {
      return std::string(refused.what());
    }
    return std::string("no error");
  };
  std::ofstream(file("plain")) << "a file";
  EXPECT_THAT(error(file("plain/c")), HasSubstr("cannot be written: Not a directory"));
  EXPECT_THAT(error(file("none/c")), HasSubstr("cannot be written: No such file"));
  EXPECT_THAT(error("/proc/gradus-checkpoint"), HasSubstr("cannot be written"));
  fs::create_directory(file("taken"));
  EXPECT_THAT(error(file("taken")), HasSubstr("cannot be written: Is a directory"));
  // Root may write everywhere.
  if (geteuid() == 0) return;
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THAT(error(file("c")), HasSubstr("Permission denied"));
  fs::permissions(folder_, fs::perms::owner_all);
}

}  // namespace
}  // namespace gradus
