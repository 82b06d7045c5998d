#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gradus::benchmarks {

/// How many threads OpenBLAS may use from now on.
void use_blas_threads(int threads);

/// What the figures depend on: processor, BLAS kernels, threads.
std::vector<std::pair<std::string, std::string>> describe_environment();

/// What makes the figures worthless, a line each.
std::vector<std::string> environment_warnings();

}  // namespace gradus::benchmarks
