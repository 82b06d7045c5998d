// A training that is told to end, by SIGINT or SIGTERM, leaves what was asked for, and goes on with the same
// bits. The environment's GRADUS_SIGNALS says at how many moments it is told; 12 by default.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <random>

#include "tests/support/program.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using test::Ran;
using testing::AnyOf;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

class Signals : public test::ProgramTest {
 protected:
  Signals() {
    std::string table = "a,b,y\n";
    for (int i = 0; i < 300; ++i) table += fmt::format("{},{},{}\n", i % 17, i % 23, (i * 7) % 11);
    write("t.csv", table);
  }

  // Dropout and a validation split, so that random numbers are drawn throughout.
  Ran train(const std::string& name, const std::string& before = "", const std::string& more = "",
            int epochs = 60) {
    return test::run_gradus(
        fmt::format("train mlp --data t.csv --target y --regress --hidden 64,64 --dropout 0.2 "
                    "--batch 8 --history {0}.json --save {0} --epochs {2} {1}",
                    name, more, epochs),
        "cd '" + folder_.string() + "' && " + before);
  }
};

TEST_F(Signals, AtAnyMomentChangeNoBit) {
  const auto start = Clock::now();
  ASSERT_EQ(train("whole", "", "--checkpoint whole.c").status, 0);
  const std::chrono::duration<double> whole = Clock::now() - start;
  const char* const asked = std::getenv("GRADUS_SIGNALS");
  const int moments = asked == nullptr ? 12 : std::atoi(asked);
  std::mt19937 random(3);
  std::uniform_real_distribution<double> part(0.02, 0.98);
  int told = 0, ended = 0;
  for (int i = 0; i < moments; ++i) {
    constexpr std::array<std::pair<const char*, int>, 3> signals{
        {{"INT", 130}, {"TERM", 143}, {"KILL", 137}}};
    const auto& [signal, status] = signals[static_cast<std::size_t>(i) % signals.size()];
    const std::string before =
        fmt::format("timeout --preserve-status -s {} {:.4f}s", signal, part(random) * whole.count());
    const Ran first = train("told", before, "--checkpoint told.c --resume");
    ASSERT_THAT(first.status, AnyOf(0, status)) << first.output;
    if (first.status != 0) {
      ++told;
      if (first.output.find("gradus: interrupted in epoch") != std::string::npos) {
        ++ended;
        EXPECT_THAT(first.output, HasSubstr("'told.c' holds what was learnt, to go on from (--resume)"));
        EXPECT_FALSE(fs::exists(file("told"))) << "weights that are not the ones asked for";
        EXPECT_TRUE(fs::exists(file("told.json")));
        EXPECT_TRUE(fs::exists(file("told.c")));
      }
      const Ran second = train("told", "", "--checkpoint told.c --resume");
      ASSERT_EQ(second.status, 0) << second.output;
    }
    EXPECT_EQ(read("whole"), read("told")) << signal;
    EXPECT_EQ(read("whole.json"), read("told.json")) << signal;
    for (const char* name : {"told", "told.json", "told.c"}) fs::remove(file(name));
  }
  EXPECT_GT(told, moments / 3);
  EXPECT_GT(ended, 0);
  std::printf("told to end %d times, of which %d within a step\n", told, ended);
}

TEST_F(Signals, WithoutACheckpointSayThatAllIsLost) {
  const Ran ran = train("told", "timeout --preserve-status -s INT 0.5s", "", 1000000);
  EXPECT_EQ(ran.status, 130);
  EXPECT_THAT(ran.output, HasSubstr("without a checkpoint, what was learnt is lost (--checkpoint)"));
  EXPECT_THAT(read("told.json"), HasSubstr("\"loss\""));
  EXPECT_FALSE(fs::exists(file("told")));
}

TEST_F(Signals, StayIgnoredWhereTheCallerIgnoresThem) {
  // So a shell without job control starts what is to run in the background.
  const Ran ran =
      test::run_command("cd '" + folder_.string() +
                        "' && { '" GRADUS_PROGRAM
                        "' train sine --epochs 3000 --history w & sleep 0.05; kill -INT $!; wait $!; }");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_TRUE(fs::exists(file("w")));
}

}  // namespace
}  // namespace gradus
