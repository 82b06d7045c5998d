// What is told of work that takes long, and when.
#include "models/app/progress/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "models/app/plot/external.hpp"
#include "models/train/progress_text.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

// What is printed by work of so many seconds.
std::string printed(bool live, double first, double seconds, std::int64_t done = 0, std::int64_t all = 0) {
  std::string text;
  {
    Progress progress("reading it", {.print = [&](std::string_view piece) { text += piece; },
                                     .live = live,
                                     .first = first,
                                     .first_line = first});
    progress.at(done, all);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  }
  return text;
}

TEST(Progress, IsSilentWhereWorkIsShort) {
  EXPECT_EQ(printed(true, 5, 0.05), "");
  EXPECT_EQ(printed(false, 5, 0.05), "");
}

TEST(Progress, EndsAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  printed(true, 60, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Progress, ALineIsOverwrittenAndRemoved) {
  const std::string text = printed(true, 0.05, 0.4);
  EXPECT_THAT(text, AllOf(HasSubstr("\r\x1b[Kreading it: 0."), EndsWith("s\r\x1b[K")));
  EXPECT_EQ(std::ranges::count(text, '\n'), 0);
}

TEST(Progress, LinesBecomeRarer) {
  const std::string text = printed(false, 0.05, 0.6);
  EXPECT_THAT(text, testing::StartsWith("reading it: 0.1s\nreading it: 0.1s\nreading it: 0.2s\n"));
  EXPECT_LE(std::ranges::count(text, '\n'), 6);
  EXPECT_THAT(text, testing::Not(HasSubstr("\r")));
}

TEST(Progress, TellsHowFarItIs) {
  EXPECT_THAT(printed(false, 0.1, 0.25, 25, 100),
              testing::StartsWith("reading it: [=====>..............] 25% ETA 0.3s\n"));
}

// Some seconds of timing; script gives a program a terminal.
TEST(ProgressOfTheProgram, IsShownOnATerminalAlone) {
  const std::string slow = "profile mnist --batch 1024 --runs 200";
  EXPECT_THAT(test::run_gradus(slow).output, testing::Not(HasSubstr("timing mnist")));
  if (find_program("script") == std::nullopt) GTEST_SKIP() << "script is not installed";
  const test::Ran shown = test::run_gradus(slow + "\" /dev/null", "exec script -qec \"");
  EXPECT_EQ(shown.status, 0) << shown.output;
  EXPECT_THAT(shown.output,
              AllOf(HasSubstr("\r\x1b[Ktiming mnist: 1."), HasSubstr("s\r\x1b[Kmnist, batch 1024")));
}

TEST(ProgressText, BarsAndDurations) {
  EXPECT_EQ(bar_text(0, 10), "[>...................]");
  EXPECT_EQ(bar_text(10, 10), "[====================]");
  EXPECT_EQ(bar_text(20, 10), "[====================]");
  EXPECT_EQ(bar_text(-1, 0), "[>...................]");
  EXPECT_EQ(duration_text(4.21), "4.2s");
  EXPECT_EQ(duration_text(37.4), "37s");
  EXPECT_EQ(duration_text(303), "5:03");
  EXPECT_EQ(duration_text(7503), "2:05:03");
}

}  // namespace
}  // namespace gradus
