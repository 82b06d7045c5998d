#pragma once

#include <filesystem>

namespace gradus::benchmarks {

/// Writes what contenders in other languages need for the same work and for the same proof: samples, starting
/// weights, and what gradus makes of them, its gradients for the first batch and its weights after one step.
/// Arrays are .npy files; checks.json says which are whose.
void dump_check(const std::filesystem::path& directory);

}  // namespace gradus::benchmarks
