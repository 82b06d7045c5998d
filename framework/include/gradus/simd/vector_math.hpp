#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>

#include "gradus/simd/lane.hpp"
#include "gradus/simd/math.hpp"

/// exp, log and their kin for lanes: polynomials without branches, tables or calls, which the compiler turns
/// into vector code. Errors, found over all floats and over samples of all doubles by
/// tests/simd/vector_math_test.cpp: float exp, log, tanh within 2 ulp, expm1, log1p, sigmoid, softplus 3;
/// double 1e-15 relative. Right at ±0, ±∞, NaN and up to the last value before overflow. Results below the
/// smallest normal number may be 0.
///
/// The polynomials are Remez fits; the reductions are those of fdlibm (e_exp.c, e_log.c) without its
/// branches.
namespace GRADUS_PUBLIC gradus {

namespace detail {

// The numbers in which the two formats differ.
template <class T> struct Format;

template <> struct Format<float> {
  using Bits = std::uint32_t;
  static constexpr int mantissa = 23;
  static constexpr Bits bias = 127;
  static constexpr float shifter = 0x1.8p23F + 127;   // adding it rounds; the low bits are then n + bias
  static constexpr float ln2_high = 0x1.62e4p-1F;     // its multiples are exact
  static constexpr float ln2_low = 0x1.7f7d1cp-20F;   // ln 2 − ln2_high
  static constexpr float exp_least = -0x1.5d589ep6F;  // log of the smallest normal number
  static constexpr float exp_most = 0x1.62e42ep6F;    // log of the largest
  static constexpr float one_from = 20;               // 1 − tanh(x/2) is below half an ulp
  // eʳ on |r| ≤ ln 2 / 2.
  static constexpr float exp_terms[] = {1,
                                        1,
                                        0.50000000937110850F,
                                        0.16666519566524070F,
                                        0.04166620888295251F,
                                        0.00836882193902731F,
                                        0.001395033685134031F};
  // (2 atanh(s) − 2s) / s³ in s², |s| ≤ (√2 − 1)/(√2 + 1).
  static constexpr float log_terms[] = {0.66666665661119597F, 0.40000332740123886F, 0.28537422604987728F,
                                        0.23580529813865835F};
  // (sinh x − x) / x³ in x², |x| ≤ 1.
  static constexpr float sinh_terms[] = {0.1666666649F, 0.008333350597F, 0.000198360665F, 2.817438292e-6F};
};

template <> struct Format<double> {
  using Bits = std::uint64_t;
  static constexpr int mantissa = 52;
  static constexpr Bits bias = 1023;
  static constexpr double shifter = 0x1.8p52 + 1023;
  static constexpr double ln2_high = 0x1.62e42fee00000p-1;
  static constexpr double ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double exp_least = -0x1.6232bdd7abcd2p9;
  static constexpr double exp_most = 0x1.62e42fefa39efp9;
  static constexpr double one_from = 44;
  static constexpr double exp_terms[] = {1,
                                         1,
                                         0.50000000000000117894,
                                         0.16666666666666697852,
                                         0.041666666666521856288,
                                         0.008333333333307829387,
                                         0.0013888888945572939608,
                                         0.0001984126991625291725,
                                         2.4801491261358053865e-5,
                                         2.7557217169014189524e-6,
                                         2.7630855933656586055e-7,
                                         2.5117619956583741429e-8};
  static constexpr double log_terms[] = {
      0.66666666666667306751, 0.39999999999433425762, 0.28571428739024282327, 0.22222198861256357397,
      0.18183551578521378,    0.15314331594176207562, 0.14793509827181555477};
  static constexpr double sinh_terms[] = {
      0.1666666666666666743,   0.008333333333333138803,  0.0001984126984143769112, 2.755731915533317531e-6,
      2.505212339917272262e-8, 1.605724029266926034e-10, 7.759313669268880116e-13};
};

// x to the power of a power of two.
template <std::size_t n, class L> L power(L x) {
  if constexpr (n == 1)
    return x;
  else
    return power<n / 2>(x) * power<n / 2>(x);
}

// Σ terms[i] xⁱ over `count` terms from `from` on. In halves (Estrin), which wait for each other's results
// less than Horner's rule does. Unrolled by recursion: the vectoriser takes no loop within a loop.
template <std::size_t from, std::size_t count, class L, class T, std::size_t N>
L polynomial(L x, const T (&terms)[N]) {
  if constexpr (count == 1) {
    return L(terms[from]);
  } else {
    constexpr std::size_t low = std::bit_floor(count - 1);
    return mul_add(polynomial<from + low, count - low>(x, terms), power<low>(x),
                   polynomial<from, low>(x, terms));
  }
}
template <class L, class T, std::size_t N> L polynomial(L x, const T (&terms)[N]) {
  return polynomial<0, N>(x, terms);
}
// x + x³ · Σ terms[i] x²ⁱ.
template <class L, class T, std::size_t N> L odd(L x, const T (&terms)[N]) {
  const L square = x * x;
  return mul_add(x * square, polynomial(square, terms), x);
}

// x = n · ln 2 + r with |r| ≤ ln 2 / 2 (for |x| < 2000).
template <std::floating_point T, Isa isa> struct Reduced {
  using L = Lane<T, isa>;
  using F = Format<T>;
  using Bits = typename F::Bits;

  explicit Reduced(L x) {
    const L shifted = mul_add(x, L(T(1.44269504088896340736)), L(F::shifter));
    bits = std::bit_cast<Bits>(shifted.value) << F::mantissa;
    n = shifted - L(F::shifter);
    r = mul_add(n, L(-F::ln2_low), mul_add(n, L(-F::ln2_high), x));
  }

  // eʳ. To add up all terms alike is to wait for one sum less, for half a unit in the last place.
  L exp() const {
    if constexpr (sizeof(T) == sizeof(double)) return polynomial(r, F::exp_terms);
    return L(1) + expm1();
  }

  // eʳ − 1.
  L expm1() const { return mul_add(r * r, polynomial<2, std::size(F::exp_terms) - 2>(r, F::exp_terms), r); }

  // 2ⁿeʳ − 1.
  L scaled_expm1() const {
    // 2ⁿ⁻¹, which does not overflow before the result does.
    const L half = std::bit_cast<T>(bits - (Bits(1) << F::mantissa));
    const L fraction = expm1();
    return where(n == L(0), fraction, L(2) * mul_add(half, fraction, half - L(T(0.5))));
  }

  L n;
  L r;
  Bits bits;  // of 2ⁿ; of ∞ where n is one too large
};

// Two doubles at a time do not beat std's tables.
template <class T, Isa isa> constexpr bool left_to_std = isa == Isa::baseline && sizeof(T) == sizeof(double);

// NaN stays NaN.
template <class L> L at_most(L x, L bound) { return where(x > bound, bound, x); }
template <class L> L at_least(L x, L bound) { return where(x < bound, bound, x); }

// log(2^exponent · x) + correction, for x > 0 normal; `correction` is small against it.
template <std::floating_point T, Isa isa>
Lane<T, isa> log_of_normal(Lane<T, isa> x, Lane<T, isa> correction, Lane<T, isa> exponent) {
  using L = Lane<T, isa>;
  using F = Format<T>;
  using Bits = typename F::Bits;
  // x = 2ᵏ·m with √½ ≤ m < √2. The offset keeps k positive.
  constexpr Bits root_half = std::bit_cast<Bits>(T(0.70710678118654752440));
  constexpr Bits offset = F::bias << F::mantissa;
  const auto bits = std::bit_cast<Bits>(x.value);
  const Bits k = (bits - root_half + offset) >> F::mantissa;
  const L m = std::bit_cast<T>(bits - (k << F::mantissa) + offset);
  const L whole =
      (L(std::bit_cast<T>(k + std::bit_cast<Bits>(F::shifter))) - L(F::shifter + T(F::bias))) + exponent;
  const L f = m - L(1);
  const L s = f / (L(2) + f);
  const L z = s * s;
  const L half_square = L(T(0.5)) * f * f;
  const L tail =
      mul_add(s, half_square + z * polynomial(z, F::log_terms), mul_add(whole, L(F::ln2_low), correction));
  return mul_add(whole, L(F::ln2_high), f - (half_square - tail));
}

}  // namespace detail

/// eˣ for any x: 0 below the smallest normal result, ∞ above the largest. Float within 2 ulp, double 1e-15.
template <std::floating_point T, Isa isa> Lane<T, isa> exp(Lane<T, isa> x) {
  if constexpr (detail::left_to_std<T, isa>) return std::exp(x.value);
  using L = Lane<T, isa>;
  using F = detail::Format<T>;
  const detail::Reduced<T, isa> at(x);
  // n is added to the exponent: 2ⁿ itself would overflow a little before eˣ does.
  constexpr auto one = std::bit_cast<typename F::Bits>(T(1));
  L y = std::bit_cast<T>(std::bit_cast<typename F::Bits>(at.exp().value) + (at.bits - one));
  y = where(x < L(F::exp_least), L(0), y);
  y = where(x > L(F::exp_most), L(std::numeric_limits<T>::infinity()), y);
  return where(x == x, y, x);  // NOLINT(misc-redundant-expression)
}

/// 1 / (1 + e^−x) for any x; e^−x needs less care here than in exp. Float within 3 ulp, double 1e-15.
template <std::floating_point T, Isa isa> Lane<T, isa> sigmoid(Lane<T, isa> x) {
  if constexpr (detail::left_to_std<T, isa>) return 1 / (1 + std::exp(-x.value));
  using L = Lane<T, isa>;
  using F = detail::Format<T>;
  const detail::Reduced<T, isa> at(-x);
  const L power = std::bit_cast<T>(at.bits);
  const L sum = where(x > L(-F::exp_least), L(1), mul_add(power, at.exp(), L(1)));
  return where(x < L(-F::exp_most), L(0), L(1) / sum);
}
namespace math {
using gradus::sigmoid;
}

/// eˣ − 1 for any x, exact at ±0. Float within 3 ulp, double 1e-15.
template <std::floating_point T, Isa isa> Lane<T, isa> expm1(Lane<T, isa> x) {
  if constexpr (detail::left_to_std<T, isa>) return std::expm1(x.value);
  using L = Lane<T, isa>;
  using F = detail::Format<T>;
  // Below −40 the result is −1 anyway.
  const detail::Reduced<T, isa> at(detail::at_least(detail::at_most(x, L(F::exp_most)), L(-40)));
  const L y = where(x > L(F::exp_most), L(std::numeric_limits<T>::infinity()), at.scaled_expm1());
  return where(x == L(0), x, y);
}

/// The natural logarithm; −∞ at 0, NaN below. Of denormals, too, but where the processor takes them for 0, as
/// within run(): −∞ then, for either sign. Float within 2 ulp, double 1e-15.
template <std::floating_point T, Isa isa> Lane<T, isa> log(Lane<T, isa> x) {
  // Adding 0 makes 0 of them there; std's looks at the bits.
  if constexpr (detail::left_to_std<T, isa>) return std::log(x.value + 0);
  using L = Lane<T, isa>;
  using Limits = std::numeric_limits<T>;
  const bool denormal = x < L(Limits::min());
  L y = detail::log_of_normal(where(denormal, x * L(T(0x1p64)), x), L(0), where(denormal, L(-64), L(0)));
  y = where(x < L(Limits::infinity()), y, x);
  y = where(x == L(0), L(-Limits::infinity()), y);
  return where(x < L(0), L(Limits::quiet_NaN()), y);
}

/// log(1 + x) for x ≥ −1, exact at ±0; NaN below. Float within 3 ulp, double 1e-15.
template <std::floating_point T, Isa isa> Lane<T, isa> log1p(Lane<T, isa> x) {
  if constexpr (detail::left_to_std<T, isa>) return std::log1p(x.value);
  using L = Lane<T, isa>;
  using Limits = std::numeric_limits<T>;
  const L sum = L(1) + x;
  // The digits that the sum has lost.
  const L lost = where(x < L(1), x - (sum - L(1)), L(1) - (sum - x));
  L y = detail::log_of_normal(sum, lost / sum, L(0));
  y = where(x < L(Limits::infinity()), y, x);
  y = where(x == L(-1), L(-Limits::infinity()), y);
  y = where(x == L(0), x, y);
  return where(x < L(-1), L(Limits::quiet_NaN()), y);
}

/// From t = e²ˣ − 1: t / (t + 2), and for small x, where that rounds thrice, x + ((t − 2x) − x·t) / (t + 2).
template <std::floating_point T, Isa isa> Lane<T, isa> tanh(Lane<T, isa> x) {
  if constexpr (detail::left_to_std<T, isa>) return std::tanh(x.value);
  using L = Lane<T, isa>;
  const L size = abs(x);
  const L twice = L(2) * size;
  const detail::Reduced<T, isa> at(detail::at_most(twice, L(detail::Format<T>::one_from)));
  const bool small = twice < L(1);
  const L t = at.scaled_expm1();
  const L quotient = where(small, (t - twice) - size * t, t) / (t + L(2));
  return copysign(where(small, size + quotient, quotient), x);
}

namespace detail {

// e^|x| / 4, which does not overflow before sinh and cosh do.
template <std::floating_point T, Isa isa> Lane<T, isa> quarter_exp(Lane<T, isa> x) {
  using F = Format<T>;
  const Reduced<T, isa> at(at_most(abs(x), Lane<T, isa>(F::exp_most + T(1.5))));
  const Lane<T, isa> quarter = std::bit_cast<T>(at.bits - (typename F::Bits(2) << F::mantissa));
  return quarter * (Lane<T, isa>(1) + at.expm1());
}

}  // namespace detail

/// (eˣ − e^−x) / 2, within 3 ulp.
template <std::floating_point T, Isa isa> Lane<T, isa> sinh(Lane<T, isa> x) {
  if constexpr (isa == Isa::baseline) return std::sinh(math::flushed(x.value));
  using L = Lane<T, isa>;
  const L part = detail::quarter_exp(x), outer = L(2) * (part - L(T(0.0625)) / part);
  return copysign(where(abs(x) < L(1), detail::odd(abs(x), detail::Format<T>::sinh_terms), outer), x);
}

/// (eˣ + e^−x) / 2, within 3 ulp.
template <std::floating_point T, Isa isa> Lane<T, isa> cosh(Lane<T, isa> x) {
  if constexpr (isa == Isa::baseline) return std::cosh(x.value);
  using L = Lane<T, isa>;
  const L part = detail::quarter_exp(x);
  return L(2) * (part + L(T(0.0625)) / part);
}

}  // namespace gradus
