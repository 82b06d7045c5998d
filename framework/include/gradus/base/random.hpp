#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// One block of Philox4x32-10: a bijection of the 128-bit counter for each 64-bit key.
/// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
  constexpr int rounds = 10;
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t x = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t y = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(y >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(y),
               static_cast<std::uint32_t>(x >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(x)};
    key[0] += 0x9E3779B9;  // the golden ratio
    key[1] += 0xBB67AE85;  // sqrt(3) - 1
  }
  return counter;
}

/// A stream number for a name: its 64-bit FNV-1a hash. Philox does the mixing; a stream number need only
/// differ.
constexpr std::uint64_t stream_of(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

/// The seed for a named part of a run (a parameter, a data set), from the run's seed: the first 64 bits of
/// the stream that `name` has under `seed`. For what takes one number only, as an Initializer does.
std::uint64_t seed_of(std::uint64_t seed, std::string_view name);

/// Counter-based pseudo-random numbers (Philox4x32-10). Not for cryptography.
///
/// `seed` is Philox's key and `stream` the upper half of its counter, so streams of one seed never overlap;
/// each has 2^64 words of 32 bits. What a draw returns depends on (seed, stream, counter) alone: integers,
/// `uniform` and `shuffle` are the same bits on every platform, `normal` up to the rounding of the C
/// library's log and cos.
class Random {
 public:
  /// The numbers of this seed and stream, from the first on.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  /// The seed that it was made with.
  std::uint64_t seed() const { return seed_; }
  /// The stream that it was made with.
  std::uint64_t stream() const { return stream_; }

  /// How many 32-bit words were drawn so far: with seed and stream the whole state, to put in a checkpoint.
  std::uint64_t counter() const { return counter_; }
  /// Goes on as if `counter` words had been drawn; constant time.
  void set_counter(std::uint64_t counter);

  /// 32 random bits. Draws one word.
  std::uint32_t bits() {
    if (counter_ % 4 == 0) refill();
    return block_[static_cast<std::size_t>(counter_++ % 4)];
  }
  /// 64 random bits. Draws two words, the first is the low half.
  std::uint64_t bits64() {
    const std::uint64_t low = bits();
    return low | std::uint64_t{bits()} << 32;
  }

  /// Uniform in [0, 1), a multiple of 2^-53. Draws two words.
  double uniform() { return static_cast<double>(bits64() >> 11) * 0x1p-53; }
  /// Uniform in [lo, hi); `lo` when both are equal. Draws two words. Error unless lo <= hi and hi - lo is
  /// finite.
  double uniform(double lo, double hi);
  /// Standard normal: mean 0, standard deviation 1, at most 8.6 away from 0 (Box-Muller, the cosine half
  /// only, so that no value is kept outside the counter). Draws four words.
  double normal();
  /// Uniform in {0, ..., n - 1} without bias. Draws two words, rarely more. Error when n is 0.
  std::uint64_t below(std::uint64_t n);

  /// Puts the items (a vector, array or span) in a random order, each order as likely (Fisher-Yates).
  template <class Items> void shuffle(Items&& items) {
    using std::swap;
    for (std::size_t left = std::size(items); left > 1; --left)
      swap(items[left - 1], items[static_cast<std::size_t>(below(left))]);
  }

 private:
  void refill();  // the block that counter_ lies in

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t counter_ = 0;
  std::array<std::uint32_t, 4> block_{};
};

}  // namespace gradus
