#include "timing.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>

#include "environment.hpp"

namespace gradus::benchmarks {

std::vector<char*> with_defaults(int argc, char** argv) {
  static std::array<std::string, 4> defaults{
      "--benchmark_repetitions=10", "--benchmark_enable_random_interleaving=true",
      "--benchmark_display_aggregates_only=true", "--benchmark_min_time=0.2"};
  std::vector<char*> arguments{argv[0]};
  for (std::string& argument : defaults) arguments.push_back(argument.data());
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  return arguments;
}

bool take_flag(std::vector<char*>& arguments, std::string_view flag) {
  return std::erase_if(arguments, [&](const char* argument) { return flag == argument; }) > 0;
}

void describe() {
  for (const auto& [key, value] : describe_environment()) benchmark::AddCustomContext(key, value);
  for (const std::string& warning : environment_warnings())
    fmt::print(stderr, "\n*** WARNING *** {}\n\n", warning);
}

int run_benchmarks(std::vector<char*> arguments) {
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

int guarded(const char* program, int (*run)(int, char**), int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", program, error.what());
    return 1;
  }
}

}  // namespace gradus::benchmarks
