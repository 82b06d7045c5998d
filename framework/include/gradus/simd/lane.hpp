#pragma once

#include <cmath>
#include <concepts>

#include "gradus/simd/isa.hpp"

namespace GRADUS_PUBLIC gradus {

template <class U>
concept Arithmetic = std::integral<U> || std::floating_point<U>;

/// A number within a loop that the compiler turns into vectors of instruction set `isa`. Rules are
/// instantiated with it in place of float or double: it has their arithmetic, and functions of its own (found
/// by argument-dependent look-up) that are free of branches and calls. As any element goes through the same
/// operations, its value does not depend on its position.
template <std::floating_point T, Isa isa> struct Lane {
  T value;

  Lane() = default;
  template <Arithmetic U>
  Lane(U x) : value(static_cast<T>(x)) {}  // NOLINT(google-explicit-constructor): literals in rules
  /// A rule may call functions that know plain numbers alone.
  operator T() const { return value; }  // NOLINT(google-explicit-constructor)

  friend Lane operator+(Lane a, Lane b) { return a.value + b.value; }
  friend Lane operator-(Lane a, Lane b) { return a.value - b.value; }
  friend Lane operator*(Lane a, Lane b) { return a.value * b.value; }
  friend Lane operator/(Lane a, Lane b) { return a.value / b.value; }
  friend Lane operator-(Lane a) { return -a.value; }
  friend bool operator<(Lane a, Lane b) { return a.value < b.value; }
  friend bool operator>(Lane a, Lane b) { return a.value > b.value; }
  friend bool operator<=(Lane a, Lane b) { return a.value <= b.value; }
  friend bool operator>=(Lane a, Lane b) { return a.value >= b.value; }
  friend bool operator==(Lane a, Lane b) { return a.value == b.value; }
  friend bool operator!=(Lane a, Lane b) { return a.value != b.value; }

  template <Arithmetic U> friend Lane operator+(Lane a, U b) { return a + Lane(b); }
  template <Arithmetic U> friend Lane operator+(U a, Lane b) { return Lane(a) + b; }
  template <Arithmetic U> friend Lane operator-(Lane a, U b) { return a - Lane(b); }
  template <Arithmetic U> friend Lane operator-(U a, Lane b) { return Lane(a) - b; }
  template <Arithmetic U> friend Lane operator*(Lane a, U b) { return a * Lane(b); }
  template <Arithmetic U> friend Lane operator*(U a, Lane b) { return Lane(a) * b; }
  template <Arithmetic U> friend Lane operator/(Lane a, U b) { return a / Lane(b); }
  template <Arithmetic U> friend Lane operator/(U a, Lane b) { return Lane(a) / b; }

  friend Lane where(bool condition, Lane yes, Lane no) { return condition ? yes.value : no.value; }
  friend Lane weighted(Lane weight, Lane value) { return where(weight == Lane(0), Lane(0), weight * value); }
  friend Lane abs(Lane x) { return std::fabs(x.value); }
  friend Lane sqrt(Lane x) { return std::sqrt(x.value); }
  friend Lane copysign(Lane magnitude, Lane sign) { return std::copysign(magnitude.value, sign.value); }
  /// a·b + c, in one rounding where the instruction set has it.
  friend Lane mul_add(Lane a, Lane b, Lane c) {
    if constexpr (isa == Isa::baseline)
      return a.value * b.value + c.value;
    else
      return std::fma(a.value, b.value, c.value);
  }
};

}  // namespace gradus
