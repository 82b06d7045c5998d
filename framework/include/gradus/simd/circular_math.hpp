#pragma once

#include "gradus/simd/vector_math.hpp"

/// sin, cos, tan and their inverses for lanes, within 3 ulp over all floats and doubles (the tests have the
/// figures: docs/custom-op.md). Baseline leaves them to std. In a run denormals are zeros, of their sign.
namespace GRADUS_PUBLIC gradus {

namespace detail {

// π/2 as a sum, and coefficients in the square of the argument: Remez fits of (sin r − r)/r³ and
// (cos r − 1 + r²/2)/r⁴ on |r| ≤ π/4, (asin x − x)/x³ on |x| ≤ ½, (atan t − t)/t³ on |t| ≤ √2 − 1.
template <class T> struct Circle;

template <> struct Circle<float> {
  static constexpr float half_pi = 0x1.921fb6p0F, rest = -0x1.777a5cp-25F, last = -0x1.ee59dap-50F;
  static constexpr float moderate = 0x1p17F;  // up to here a multiple of π/2 is exact enough
  static constexpr float sin_terms[] = {-0.1666665487F, 0.008332173539F, -0.0001951665544F};
  static constexpr float cos_terms[] = {0.04166664675F, -0.001388736158F, 2.443774345e-5F};
  static constexpr float asin_terms[] = {0.1666675392F, 0.07495242422F, 0.04547700953F, 0.02414805308F,
                                         0.04221780545F};
  static constexpr float atan_terms[] = {-0.333333155F, 0.1999848897F, -0.1424383915F, 0.1059592483F,
                                         -0.06083244254F};
};

template <> struct Circle<double> {
  static constexpr double half_pi = 0x1.921fb54442d18p0, rest = 0x1.1a62633145c07p-54,
                          last = -0x1.f1976b7ed8fbcp-110;
  static constexpr double moderate = 0x1p30;
  static constexpr double sin_terms[] = {-0.1666666666666663166,    0.008333333333322315366,
                                         -0.0001984126982972499199, 2.755731366192160253e-6,
                                         -2.50507532381725893e-8,   1.589650324995640614e-10};
  static constexpr double cos_terms[] = {0.04166666666666659874,    -0.001388888888887398844,
                                         0.00002480158728939426269, -2.755731432607708916e-7,
                                         2.087571959056018517e-9,   -1.135945124091467141e-11};
  static constexpr double asin_terms[] = {
      0.1666666666666538304,   0.07500000000343004795, 0.04464285682350826035,  0.0303819593303476742,
      0.02237175354305813532,  0.01735977082283185002, 0.01388460122029015866,  0.01217326135065991627,
      0.006510931484326904539, 0.01957368900121051678, -0.01629372524142402927, 0.0319587205088325196};
  static constexpr double atan_terms[] = {
      -0.3333333333333319896,  0.1999999999995403811,  -0.1428571428024396843, 0.1111111078590379613,
      -0.09090897829508177853, 0.07692061509925158894, -0.0666311889701840493, 0.05847997811183097363,
      -0.05039794247387333288, 0.03807698893431790535, -0.01792078987728099719};
};

// x = n · π/2 + (r + low) with |r| ≤ π/4. `low` is what r is rounded by; a sine or cosine alone can do
// without.
template <std::floating_point T, Isa isa, bool with_low> struct Quarters {
  using L = Lane<T, isa>;
  using F = Format<T>;
  using C = Circle<T>;
  using Bits = typename F::Bits;

  explicit Quarters(L x) {
    const L shifted = mul_add(x, L(T(0.63661977236758134308)), L(F::shifter));
    count = std::bit_cast<Bits>(shifted.value) - F::bias;
    const L n = shifted - L(F::shifter), near = mul_add(n, L(-C::half_pi), x);
    if constexpr (with_low) {
      const L part = n * L(-C::rest), r = near + part, of_part = r - near;
      const L lost = (near - (r - of_part)) + (part - of_part);
      take(r, lost + mul_add(n, L(-C::last), mul_add(n, L(-C::rest), -part)));
    } else {
      take(mul_add(n, L(-C::last), mul_add(n, L(-C::rest), near)), L(0));
    }
  }
  // From n and r as they are.
  Quarters(L r, Bits n) : count(n) { take(r, L(0)); }

  void take(L r, L low) {
    const L square = r * r, half = L(T(0.5)) * square, most = L(1) - half;
    const L more = square * square, terms = polynomial(square, C::cos_terms);
    const L cube = r * square, of_sine = polynomial(square, C::sin_terms);
    if constexpr (with_low) {
      cosine = most + mul_add(more, terms, mul_add(-low, r, (L(1) - most) - half));
      sine = r + mul_add(cube, of_sine, low * cosine);
    } else {
      cosine = mul_add(more, terms, most);
      sine = mul_add(cube, of_sine, r);
    }
  }

  // The sine of x + ahead · π/2. The choice is one of bits, which the vectoriser takes.
  L sine_of(Bits ahead) const {
    const Bits turns = count + ahead, odd = Bits(0) - (turns & 1);
    const Bits size = (std::bit_cast<Bits>(cosine.value) & odd) | (std::bit_cast<Bits>(sine.value) & ~odd);
    return std::bit_cast<T>(size ^ ((turns & 2) << (8 * sizeof(T) - 2)));
  }

  Bits count;      // n, modulo 4
  L sine, cosine;  // of r + low
};

// 0 of x's sign where x is 0, or taken for it.
template <class L> L keep_zero(L x, L y) { return where(x == L(0), copysign(L(0), x), y); }

// The angle of (x, y) for x, y ≥ 0, not both 0; or of (−x, y), where `side` is −1 instead of 1. In eighths of
// a turn and what is left; the choices are of bits, as the compiler would divide once for each.
template <std::floating_point T, Isa isa>
Lane<T, isa> angle(Lane<T, isa> y, Lane<T, isa> x, Lane<T, isa> side) {
  using L = Lane<T, isa>;
  using C = Circle<T>;
  using Bits = typename Format<T>::Bits;
  const Bits steep = Bits(0) - Bits(y > L(T(2.41421356237309504880)) * x);
  const Bits above = Bits(0) - Bits(y > L(T(0.41421356237309504880)) * x);
  const auto if_set = [](Bits mask, L v) { return L(std::bit_cast<T>(std::bit_cast<Bits>(v.value) & mask)); };
  const L t = (if_set(~steep, y) - if_set(above, x)) / (if_set(~steep, x) + if_set(above, y));
  const L small = odd(t, C::atan_terms);
  const L n = L(2) - side * (L(2) - (if_set(above, L(1)) + if_set(steep, L(1))));
  return mul_add(n, L(C::half_pi / 2), mul_add(n, L(C::rest / 2), side * small));
}

// asin or acos, from w = asin √z for z = x² up to |x| = ½, (1 − |x|)/2 beyond.
template <bool cosine, std::floating_point T, Isa isa> Lane<T, isa> arc(Lane<T, isa> x) {
  using L = Lane<T, isa>;
  using C = Circle<T>;
  const L size = abs(x);
  const bool inner = size <= L(T(0.5));
  const L z = where(inner, size * size, L(T(0.5)) * (L(1) - size));
  const L root = where(inner, size, sqrt(z));
  const L w = mul_add(root * z, polynomial(z, C::asin_terms), root);
  if constexpr (cosine) {
    const L signed_w = copysign(w, x);
    const L from_zero = L(2) * where(x < L(0), L(C::half_pi) - (w - L(C::rest)), w);
    return where(inner, L(C::half_pi) - (signed_w - L(C::rest)), from_zero);
  } else {
    return copysign(where(inner, w, L(C::half_pi) - (L(2) * w - L(C::rest))), x);
  }
}

}  // namespace detail

/// Whether sin, cos and tan need no more than vector code for this: |x| up to 2¹⁷, or 2³⁰ in double.
template <std::floating_point T, Isa isa> bool is_moderate(Lane<T, isa> x) {
  return isa != Isa::baseline && abs(x) <= Lane<T, isa>(detail::Circle<T>::moderate);
}

/// Whether all of these are moderate.
template <Isa isa, std::floating_point T> bool all_moderate(const T* x, std::size_t n) {
  typename detail::Format<T>::Bits others = 0;  // as wide as T, for the vectoriser
  for (std::size_t i = 0; i < n; ++i) others |= is_moderate(Lane<T, isa>(x[i])) ? 0U : 1U;
  return others == 0;
}

/// sin, cos and tan of what is moderate.
template <std::floating_point T, Isa isa> Lane<T, isa> sin_of_moderate(Lane<T, isa> x) {
  return detail::keep_zero(x, detail::Quarters<T, isa, false>(x).sine_of(0));
}
template <std::floating_point T, Isa isa> Lane<T, isa> cos_of_moderate(Lane<T, isa> x) {
  return detail::Quarters<T, isa, false>(x).sine_of(1);
}
template <std::floating_point T, Isa isa> Lane<T, isa> tan_of_moderate(Lane<T, isa> x) {
  const detail::Quarters<T, isa, true> at(x);
  return detail::keep_zero(x, at.sine_of(0) / at.sine_of(1));
}

/// sin x, cos x, tan x for any x; what is not moderate is left to std, one by one.
template <std::floating_point T, Isa isa> Lane<T, isa> sin(Lane<T, isa> x) {
  return is_moderate(x) ? sin_of_moderate(x) : Lane<T, isa>(std::sin(math::flushed(x.value)));
}
template <std::floating_point T, Isa isa> Lane<T, isa> cos(Lane<T, isa> x) {
  return is_moderate(x) ? cos_of_moderate(x) : Lane<T, isa>(std::cos(math::flushed(x.value)));
}
template <std::floating_point T, Isa isa> Lane<T, isa> tan(Lane<T, isa> x) {
  return is_moderate(x) ? tan_of_moderate(x) : Lane<T, isa>(std::tan(math::flushed(x.value)));
}

/// The angle in [−π/2, π/2] whose sine is x; NaN beyond ±1.
template <std::floating_point T, Isa isa> Lane<T, isa> asin(Lane<T, isa> x) {
  if constexpr (isa == Isa::baseline) return std::asin(math::flushed(x.value));
  return detail::arc<false>(x);
}
/// The angle in [0, π] whose cosine is x; NaN beyond ±1.
template <std::floating_point T, Isa isa> Lane<T, isa> acos(Lane<T, isa> x) {
  if constexpr (isa == Isa::baseline) return std::acos(x.value);
  return detail::arc<true>(x);
}
/// The angle in [−π/2, π/2] whose tangent is x.
template <std::floating_point T, Isa isa> Lane<T, isa> atan(Lane<T, isa> x) {
  if constexpr (isa == Isa::baseline) return std::atan(math::flushed(x.value));
  using L = Lane<T, isa>;
  const L high = detail::at_most(abs(x), L(std::numeric_limits<T>::max()));
  return copysign(detail::angle(high, L(1), L(1)), x);
}
/// The angle in [−π, π] of the point (x, y), as std's with its zeros and infinities.
template <std::floating_point T, Isa isa> Lane<T, isa> atan2(Lane<T, isa> y, Lane<T, isa> x) {
  if constexpr (isa == Isa::baseline) return std::atan2(math::flushed(y.value), math::flushed(x.value));
  using L = Lane<T, isa>;
  using Limits = std::numeric_limits<T>;
  // Beside an infinity what is finite is 0. Neither may a sum overflow nor a denormal lose digits.
  const L up = abs(y), side = abs(x), infinity(Limits::infinity());
  const bool far = where(up > side, up, side) == infinity;
  const auto against = [&](L size) { return where(size == infinity, L(1), size * L(0)); };
  const L high = where(far, against(up), up), wide = where(far, against(side), side);
  const L scale = where(high + wide > L(1), L(T(0.25)), L(4) / L(Limits::epsilon()));
  const L run = where(high + wide == L(0), L(1), wide * scale);
  return copysign(detail::angle(high * scale, run, copysign(L(1), x)), y);
}

}  // namespace gradus
