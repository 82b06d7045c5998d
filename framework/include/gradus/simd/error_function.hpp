#pragma once

#include "gradus/simd/vector_math.hpp"

/// erf and its kin for lanes, within 3 ulp over all floats and doubles. Baseline leaves them to std. Results
/// below the smallest normal number may be 0.
namespace GRADUS_PUBLIC gradus {

namespace detail {

// Remez fits: erf x / x − 1 in x² on |x| ≤ 5/4; log erfc x in x beyond, as far as 1 − erf x counts; and
// e^x² erfc(x) (x + k) in t = (x − k)/(x + k) from ½ on, first + rest + Σ tail_terms[i] tⁱ⁺¹.
template <class T> struct ErrorTerms;

template <> struct ErrorTerms<float> {
  static constexpr float erf_terms[] = {0.128379166F,    -0.3761263005F,  0.1128367504F,
                                        -0.02686024791F, 0.005209016933F, -0.0008339575282F,
                                        0.000103938992F, -7.573001497e-6F};
  static constexpr float log_terms[] = {-0.005626310012F, -1.108283106F,  -0.6656672326F,
                                        -0.08191908966F,  0.01279536441F, -0.0009204302443F};
  static constexpr float one_from = 3.93F;
  static constexpr float k = 2, first = 0x1.0586720000000p+0F, rest = -1.74219e-8F;
  static constexpr float tail_terms[] = {-0.6871606618F,    0.2794719143F,     -0.0364432881F,
                                         -0.02150596846F,   0.006490861838F,   0.003052601393F,
                                         -0.0008847205135F, -0.0005406077744F, 0.0001075054053F};
};

template <> struct ErrorTerms<double> {
  static constexpr double erf_terms[] = {
      0.1283791670955125337,   -0.3761263890318290558,    0.1128379167092540215,    -0.02686617064101330836,
      0.00522397759567933968,  -0.0008548325738307222507, 0.0001205529722088691453, -0.00001492498051849928,
      1.645347606283589308e-6, -1.62887062873380807e-7,   1.433546548091793907e-8,  -1.037760232946939223e-9,
      4.600302112007838318e-11};
  static constexpr double log_terms[] = {
      -3.235908066771544939e-6,  -1.128350256871737906,     -0.6367401214473879312,
      -0.1024625280410520868,    0.01857479447897162344,    0.0009355009308241789107,
      -0.002419195807079062347,  0.001144592586113512651,   -0.0003530429248289246389,
      0.00007998707541285897361, -0.0000135473495226591395, 1.680478047550622535e-6,
      -1.446705417115614057e-7,  7.732452866223933962e-9,   -1.932596989005987248e-10};
  static constexpr double one_from = 5.93;
  static constexpr double k = 4, first = 0x1.18932bf08e154p+0, rest = 5.75725e-17;
  static constexpr double tail_terms[] = {
      -0.9765487290808819881,    0.7732087022652366027,    -0.5408538313132357012,
      0.3308515878780541878,     -0.1740109372399223136,   0.07638151490809838668,
      -0.02637005334032371121,   0.006112055672753097937,  -0.0002809588675854647935,
      -0.000455052821781625652,  0.0001768128421536184458, -3.634484918224415117e-6,
      -0.0000188610103243976129, 4.692244926963564244e-6,  1.42454573206506071e-6,
      -8.418648296015203659e-7,  -7.608272675701940003e-8, 1.188832321369784783e-7,
      1.30953072320402667e-9,    -1.193113357232290352e-8};
};

// e^−(s + low) · (factor + rest) for s ≥ 0 and small rests.
template <std::floating_point T, Isa isa>
Lane<T, isa> exp_minus(Lane<T, isa> s, Lane<T, isa> low, Lane<T, isa> factor, Lane<T, isa> rest) {
  using L = Lane<T, isa>;
  const L most = -Format<T>::exp_least;
  const Reduced<T, isa> at(-at_most(s, most));
  const L m = at.expm1(), power = std::bit_cast<T>(at.bits);
  return where(s > most, L(0),
               power * (factor + mul_add(factor, mul_add(-low, L(1) + m, m), mul_add(rest, m, rest))));
}

// scale · erfc(x + lost) for x from ½ on, whose square is s + low. All that is rounded is made up for, but
// for the terms of the polynomial.
template <std::floating_point T, Isa isa>
Lane<T, isa> erfc_tail(Lane<T, isa> x, Lane<T, isa> lost, Lane<T, isa> s, Lane<T, isa> low,
                       Lane<T, isa> scale) {
  using L = Lane<T, isa>;
  using E = ErrorTerms<T>;
  const L sum = x + L(E::k), of_sum = (x - (sum - L(E::k))) + lost;
  const L u = L(1) / sum, of_u = u * mul_add(-of_sum, u, mul_add(-sum, u, L(1)));
  const L t = mul_add(of_u, L(-2 * E::k), mul_add(u, L(-2 * E::k), L(1)));
  constexpr std::size_t behind = std::size(E::tail_terms) - 1;
  const L terms = mul_add(t, polynomial<1, behind>(t, E::tail_terms), L(E::tail_terms[0]));
  const L q = mul_add(t, terms, L(E::first));
  const L of_q = mul_add(t, terms, L(E::first) - q) + L(E::rest);
  const L product = u * q, of_product = mul_add(u, q, -product) + mul_add(of_u, q, u * of_q);
  return exp_minus(s, low, scale * product, scale * of_product);
}

// erf(x) for |x| ≤ 5/4.
template <class T, Isa isa> Lane<T, isa> inner_erf(Lane<T, isa> x) {
  return mul_add(x, polynomial(x * x, ErrorTerms<T>::erf_terms), x);
}

}  // namespace detail

/// The error function: 2/√π times the integral of e^−t² from 0 to x.
template <std::floating_point T, Isa isa> Lane<T, isa> erf(Lane<T, isa> x) {
  if constexpr (isa == Isa::baseline) return std::erf(math::flushed(x.value));
  using L = Lane<T, isa>;
  using E = detail::ErrorTerms<T>;
  const L size = detail::at_most(abs(x), L(E::one_from));
  const detail::Reduced<T, isa> at(detail::polynomial(size, E::log_terms));
  const L power = std::bit_cast<T>(at.bits), outer = L(1) - mul_add(power, at.expm1(), power);
  return copysign(where(size < L(T(1.25)), detail::inner_erf(size), outer), x);
}

/// 1 − erf(x), with its digits where that is small.
template <std::floating_point T, Isa isa> Lane<T, isa> erfc(Lane<T, isa> x) {
  if constexpr (isa == Isa::baseline) return static_cast<T>(std::erfc(double{x.value}));
  using L = Lane<T, isa>;
  const L size = abs(x), square = x * x;
  const L tail = detail::erfc_tail(size, L(0), square, mul_add(x, x, -square), L(1));
  const L outer = where(x < L(0), L(2), L(0)) + copysign(tail, x);
  return where(size < L(T(0.5)), L(1) - detail::inner_erf(x), outer);
}

/// e^−(a·x²) for a number a > 0.
template <std::floating_point T, Isa isa> Lane<T, isa> gaussian(Lane<T, isa> x, Lane<T, isa> a) {
  if constexpr (isa == Isa::baseline) return math::gaussian(x.value, a.value);
  using L = Lane<T, isa>;
  const L square = x * x, s = a * square;
  const L low = mul_add(a, square, -s) + a * mul_add(x, x, -square);
  return detail::exp_minus(s, low, L(1), L(0));
}

namespace detail {

// scale · Φ(x), for a scale that is a power of two.
template <std::floating_point T, Isa isa> Lane<T, isa> scaled_normal_cdf(Lane<T, isa> x, Lane<T, isa> scale) {
  using L = Lane<T, isa>;
  constexpr T root = T(0.70710678118654752440L), of_root = T(0.70710678118654752440L - root);
  const L half = T(0.5), distance = abs(x), square = x * x, size = distance * L(root);
  const L lost = mul_add(distance, L(root), -size) + distance * L(of_root), share = half * scale;
  const L tail = erfc_tail(size, lost, half * square, half * mul_add(x, x, -square), share);
  const L inner = mul_add(share, copysign(inner_erf(size), x), share);
  return where(size < half, inner, where(x < L(0), L(0), scale) - copysign(tail, x));
}

}  // namespace detail

/// The probability that a standard normal variable is below x: erfc(−x/√2) / 2.
template <std::floating_point T, Isa isa> Lane<T, isa> normal_cdf(Lane<T, isa> x) {
  if constexpr (isa == Isa::baseline) return math::normal_cdf(x.value);
  return detail::scaled_normal_cdf(x, Lane<T, isa>(1));
}

/// x · normal_cdf(x), whose factor may be too small for a normal number: it is taken 2²⁴ times as large.
template <std::floating_point T, Isa isa> Lane<T, isa> gelu(Lane<T, isa> x) {
  if constexpr (isa == Isa::baseline) return math::gelu(x.value);
  using L = Lane<T, isa>;
  const bool left = x < L(-1);
  const L within = where(left, L(T(0x1p-24)) * detail::at_least(x, L(-50)), x);  // −∞ · 0 is 0 here
  return within * detail::scaled_normal_cdf(x, where(left, L(T(0x1p24)), L(1)));
}
namespace math {
using gradus::gaussian;
using gradus::gelu;
using gradus::normal_cdf;
}  // namespace math

}  // namespace gradus
