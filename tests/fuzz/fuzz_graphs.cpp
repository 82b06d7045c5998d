#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "checks.hpp"
#include "random_graph.hpp"
#include "shrink.hpp"

// fuzz_graphs [--count N] [--seed S] [--full] [--brief] [--print]: checks N random graphs, of seeds from S
// on. Prints every failure with the C++ of the smallest graph that fails so, and exits with 1 if there was
// one.
//   --full   checks all entries of gradients, and nothing else: shows false alarms of the gradient check
//   --brief  does not look for the smallest graph
//   --print  prints the graphs instead of checking them
namespace {

using namespace gradus;
using namespace gradus::fuzz;

struct Arguments {
  std::uint64_t count = 1000;
  std::uint64_t seed = 1;
  bool print = false;
  bool brief = false;
  CheckOptions options;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--count" && i + 1 < argc)
      a.count = std::strtoull(argv[++i], nullptr, 10);
    else if (flag == "--seed" && i + 1 < argc)
      a.seed = std::strtoull(argv[++i], nullptr, 10);
    else if (flag == "--full")
      a.options.full = true;
    else if (flag == "--brief")
      a.brief = true;
    else if (flag == "--print")
      a.print = true;
    else
      throw Error(fmt::format("usage: {} [--count N] [--seed S] [--full] [--brief] [--print]", argv[0]));
  }
  return a;
}

void print_smallest(const Recipe& recipe, const Failure& failure, const CheckOptions& options) {
  Tally ignored;
  const Recipe small = shrunk(recipe, [&](const Recipe& candidate) {
    const auto again = check(candidate, ignored, options);
    return again && same_kind(*again, failure);
  });
  const auto again = check(small, ignored, options);
  fmt::print("smallest: {}\n{}\n", again ? again->detail : "passes", cpp_text(small));
}

int run(const Arguments& a) {
  Tally tally;
  int failures = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t seed = a.seed; seed < a.seed + a.count; ++seed) {
    const Recipe recipe = random_recipe(seed, {.most_ops = a.options.full ? 20U : 60U});
    if (a.print) {
      fmt::print("{}", cpp_text(recipe));
      continue;
    }
    if (const auto failure = check(recipe, tally, a.options)) {
      ++failures;
      fmt::print("FAILED: seed {}, {}: {}\n", recipe.seed, failure->check, failure->detail);
      std::fflush(stdout);
      if (!a.brief) print_smallest(recipe, *failure, a.options);
    }
    std::fflush(stdout);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!a.print) fmt::print("{}{} failures, {:.1f} s\n", tally.text(), failures, seconds.count());
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
