// What is told of work that takes long, and when.
#include "models/app/progress/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

// What was done before, or for another count, took none of the time.
TEST(Progress, TellsWhatIsLeftByTheCountThatRuns) {
  using std::chrono::milliseconds;
  constexpr milliseconds apart(120), shown(600);
  struct Case {
    const char* name;
    std::vector<std::pair<std::int64_t, std::int64_t>> counts;  // one after the other
    const char* share;
    double left;  // seconds; 0 where they are not known
  };
  const std::vector<Case> cases{
      {"from 0", {{0, 100}, {10, 100}, {20, 100}}, "20%", 2.4},
      {"said once", {{25, 100}}, "25%", 1.8},
      {"resumed", {{900, 0}, {900, 1000}, {950, 1000}}, "95%", 0.48},
      {"resumed without a word", {{900, 1000}, {950, 1000}}, "95%", 0.6},
      {"nothing yet of the rest", {{900, 0}, {900, 1000}}, "90%\n", 0},
      {"begins anew", {{10, 1000}, {1000, 1000}, {0, 1000}, {100, 1000}}, "10%", 3.24},
      {"another count", {{1, 10}, {10, 10}, {500, 1000}, {600, 1000}}, "60%", 1.44},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::string text;
    {
      const double seconds = std::chrono::duration<double>(shown).count();
      Progress progress("it", {.print = [&](std::string_view piece) { text += piece; },
                               .live = false,
                               .first = seconds,
                               .first_line = seconds});
      const auto start = std::chrono::steady_clock::now();
      for (std::size_t i = 0; i < c.counts.size(); ++i) {
        std::this_thread::sleep_until(start + i * apart);
        progress.at(c.counts[i].first, c.counts[i].second);
      }
      std::this_thread::sleep_until(start + shown + apart);
    }
    EXPECT_THAT(text, HasSubstr(c.share));
    const std::size_t at = text.find("ETA ");
    ASSERT_EQ(at != std::string::npos, c.left > 0) << text;
    // A machine with much to do sleeps longer than it should.
    if (c.left == 0) continue;
    EXPECT_NEAR(std::stod(text.substr(at + 4)), c.left, 0.4 * c.left) << text;
  }
}

// Some seconds of timing; script gives a program a terminal.
TEST(ProgressOfTheProgram, IsShownOnATerminalAlone) {
  const std::string slow = "profile mnist --batch 1024 --runs " GRADUS_RUNS;
  EXPECT_THAT(test::run_gradus(slow).output, testing::Not(HasSubstr("\x1b[K")));
  if (find_program("script") == std::nullopt) GTEST_SKIP() << "script is not installed";
  if (test::run_command("script -qec true /dev/null").status != 0)
    GTEST_SKIP() << "the system gives no terminals here";
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
