// Threads of a run where the system starts none, and where the process is a child of fork.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <memory>

#include "framework/runtime/workers.hpp"
#include "gradus/ops.hpp"
#include "gradus/runtime/executable.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

// Runs it in a child of fork; the child's exit status, or the negative of the signal that ended it: of the
// alarm, if it hangs.
template <class Life> int status_in_child(Life life) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr unsigned patience = 60;  // seconds
    alarm(patience);
    int status = 99;
    try {
      status = life();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    std::fflush(stdout);
    _exit(status);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// A product that is shared out among threads.
struct Product {
  explicit Product(int threads) {
    const Expr x = g.input("x", {256, 256}), w = g.constant({256, 256}, test::some_values(256 * 256));
    executable = std::make_unique<Executable<float>>(
        compile<float>({matmul(x, w)}, {}, 1, store, {.threads = threads}));
    std::vector<float> values(256 * 256);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 17);
    executable->feed("x", values);
  }
  std::vector<float> run() {
    executable->run();
    const auto all = executable->output().values;
    return {all.begin(), all.end()};
  }

  Graph g;
  Store<float> store;
  std::unique_ptr<Executable<float>> executable;
};

TEST(AChildOfFork, RunsAProgramWithThreadsOfItsParent) {
  auto product = std::make_unique<Product>(3);
  const auto expected = product->run();
  EXPECT_EQ(status_in_child([&] {
              for (int i = 0; i < 3; ++i)
                if (product->run() != expected) return 1;
              product.reset();  // neither waits for threads that are not here
              return 0;
            }),
            0);
  EXPECT_EQ(product->run(), expected) << "the parent's go on";
}

TEST(AChildOfFork, MayCompileWithThreadsOfItsOwn) {
  const auto expected = Product(3).run();
  EXPECT_EQ(status_in_child([&] { return Product(3).run() == expected ? 0 : 1; }), 0);
  EXPECT_EQ(status_in_child([&] {
              // And its child again.
              Product product(3);
              return status_in_child([&] { return product.run() == expected ? 0 : 1; });
            }),
            0);
}

TEST(AChildOfFork, HasWhatAPartThrows) {
  Workers workers(2);
  EXPECT_EQ(status_in_child([&] {
              const auto part = [](std::size_t i) {
                if (i == 1) throw Error("enough");
              };
              return error_of([&] { workers.run(part); }) == "enough" ? 0 : 1;
            }),
            0);
}

TEST(ThreadsThatCannotStart, AreAnErrorThatSaysHowManyCan) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need more of the address space than the limit of this test";
#else
  const int status = status_in_child([] {
    // Room for the stacks of a few threads.
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    constexpr std::size_t megabytes = 1 << 20;
    const rlim_t limit = pages * static_cast<std::size_t>(getpagesize()) + 100 * megabytes;
    const rlimit both{limit, limit};
    setrlimit(RLIMIT_AS, &both);
    const std::string error = error_of([] { Workers workers(255); });
    EXPECT_THAT(error, AllOf(HasSubstr("256 threads are asked for, and the system starts no more than "),
                             HasSubstr("ask for fewer")));
    Workers workers(1);  // those that had started have ended
    int done = 0;
    workers.run([&](std::size_t i) { done += i == 0 ? 1 : 0; });
    return done == 1 && !testing::Test::HasFailure() ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
#endif
}

}  // namespace
}  // namespace gradus
