#include "gradus/simd/isa.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string>

#include "gradus/base/error.hpp"

namespace gradus {

namespace {

constexpr std::array names{"baseline", "avx2", "avx512"};

Isa best_isa() {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return Isa::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    return Isa::avx2;
#endif
  return Isa::baseline;
}

Isa chosen_isa() {
  const Isa best = best_isa();
  const char* wanted = std::getenv("GRADUS_ISA");
  if (wanted == nullptr || *wanted == 0) return best;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::string_view(names[i]) != wanted) continue;
    if (static_cast<Isa>(i) > best)
      throw Error(fmt::format("GRADUS_ISA is '{}', which this CPU lacks; it has up to '{}'", wanted,
                              to_string(best)));
    return static_cast<Isa>(i);
  }
  throw Error(fmt::format("GRADUS_ISA is '{}'; it must be one of baseline, avx2 and avx512", wanted));
}

}  // namespace

Isa current_isa() {
  static const Isa isa = chosen_isa();
  return isa;
}

std::string_view to_string(Isa isa) { return names[static_cast<std::size_t>(isa)]; }

}  // namespace gradus
