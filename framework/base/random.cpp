#include "gradus/base/random.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "gradus/base/error.hpp"

namespace gradus {
namespace {

constexpr std::uint32_t low_half(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high_half(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

}  // namespace

std::uint64_t seed_of(std::uint64_t seed, std::string_view name) {
  return Random(seed, stream_of(name)).bits64();
}

void Random::refill() {
  const std::uint64_t block = counter_ / 4;
  block_ = philox4x32({low_half(block), high_half(block), low_half(stream_), high_half(stream_)},
                      {low_half(seed_), high_half(seed_)});
}

void Random::set_counter(std::uint64_t counter) {
  counter_ = counter;
  refill();  // the counter may point into the middle of a block
}

double Random::uniform(double lo, double hi) {
  if (!(lo <= hi) || !std::isfinite(hi - lo))
    throw Error(fmt::format("Random::uniform({}, {}): expected lo <= hi and a finite hi - lo", lo, hi));
  // An explicit fma, as compilers may fuse a product and a sum or not, and the bits would then differ.
  const double x = std::fma(hi - lo, uniform(), lo);
  return x < hi || lo == hi ? x : std::nextafter(hi, lo);  // rounding may reach hi
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));  // 1 - [0, 1) is never 0
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::uint64_t Random::below(std::uint64_t n) {
  if (n == 0) throw Error("Random::below(0): there is no number below 0; expected n >= 1");
  const std::uint64_t surplus = (0 - n) % n;  // 2^64 mod n: words below it would make small results likelier
  for (;;) {
    const std::uint64_t word = bits64();
    if (word >= surplus) return word % n;
  }
}

}  // namespace gradus
