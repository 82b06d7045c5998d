#include "environment.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <fstream>

namespace gradus::benchmarks {

namespace {

// These override what OpenBLAS finds out about the processor.
constexpr std::array overrides{"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "GRADUS_ISA"};

// Whether gradus and OpenBLAS are held to the same instruction set, on purpose.
bool all_are_held() {
  return std::getenv("GRADUS_ISA") != nullptr && std::getenv("OPENBLAS_CORETYPE") != nullptr &&
         std::getenv("OPENBLAS_L2_SIZE") == nullptr;
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  return "unknown";
}

}  // namespace

void use_blas_threads(int threads) { openblas_set_num_threads(threads); }

std::vector<std::pair<std::string, std::string>> describe_environment() {
  std::vector<std::pair<std::string, std::string>> facts{{"cpu", processor()},
                                                         {"openblas_core", openblas_get_corename()},
                                                         {"openblas_config", openblas_get_config()},
                                                         {"threads", "as in each name, for OpenBLAS too"},
                                                         {"flush_to_zero", "set for all contenders"}};
  for (const char* name : overrides)
    if (const char* value = std::getenv(name)) facts.emplace_back(name, value);
  return facts;
}

std::vector<std::string> environment_warnings() {
  std::vector<std::string> warnings;
  for (const char* name : overrides)
    if (const char* value = std::getenv(name); value != nullptr && !all_are_held())
      warnings.push_back(
          fmt::format("{}={} is set: one contender may not use its kernels for this processor, and figures "
                      "with matrices do not count. Run again as: env -u {} ...",
                      name, value, name));
#ifndef NDEBUG
  warnings.emplace_back("gradus was built with its debug checks. Use the release preset.");
#endif
  return warnings;
}

}  // namespace gradus::benchmarks
