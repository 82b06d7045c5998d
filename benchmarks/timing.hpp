#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gradus/base/random.hpp"
#include "handwritten/handwritten.hpp"

/// What the benchmark programs have in common.
namespace gradus::benchmarks {

/// The command line with our defaults for Google Benchmark before what the user gives, which wins.
std::vector<char*> with_defaults(int argc, char** argv);

/// Takes an argument of our own out of the list; whether it was there.
bool take_flag(std::vector<char*>& arguments, std::string_view flag);

/// Puts into the results what they depend on, and warns of what makes them worthless.
void describe();

/// Runs what was registered; the exit code.
int run_benchmarks(std::vector<char*> arguments);

/// What `run` returns, or 1 for what it throws, which is printed behind the program's name.
int guarded(const char* program, int (*run)(int, char**), int argc, char** argv);

/// Numbers between two, the same for the same seed.
template <class T>
std::vector<T> random_numbers(std::int64_t count, double from, double to, std::uint64_t seed) {
  Random random(seed);
  std::vector<T> numbers(static_cast<std::size_t>(count));
  for (T& x : numbers) x = static_cast<T>(random.uniform(from, to));
  return numbers;
}

template <class Contender> double seconds(Contender& contender, std::int64_t steps) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (std::int64_t i = 0; i < steps; ++i) contender.step();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The flags that serve better here, for contenders that have fast_math first and no_errno second: by the
/// smallest of many short times, taken in turns, so that what else the machine does favours neither.
template <class Contender> Flags faster_flags(std::array<Contender, 2>& contenders) {
  constexpr double long_enough = 2e-3;
  constexpr int rounds = 15;
  std::int64_t steps = 1;
  while (std::max(seconds(contenders[0], steps), seconds(contenders[1], steps)) < long_enough) steps *= 2;
  std::array best{seconds(contenders[0], steps), seconds(contenders[1], steps)};
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < best.size(); ++i) best[i] = std::min(best[i], seconds(contenders[i], steps));
  return best[0] <= best[1] ? Flags::fast_math : Flags::no_errno;
}

}  // namespace gradus::benchmarks
