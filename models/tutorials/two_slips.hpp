#pragma once

#include <array>
#include <vector>

namespace gradus {

/// The published program of `two-targets` as it stands, derivatives by hand, with or without its two slips.
/// It adds h2 where the bias b2 belongs in net_o2 (and never differentiates that path), and it uses h1(1 −
/// h1) for h2(1 − h2) when it updates w3 and w4.
struct Slips {
  bool bias = false;
  bool hidden = false;
};

using SlipWeights = std::array<double, 8>;  ///< w1 … w8

struct SlipForward {
  double h1, h2, o1, o2;
  double loss() const;
};
SlipForward slip_forward(const SlipWeights& w, Slips slips);
SlipWeights slip_gradient(const SlipWeights& w, Slips slips);

/// The starting weights, inputs and targets of the tutorial.
constexpr SlipWeights slip_start{0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55};
constexpr std::array<double, 2> slip_input{0.05, 0.10};
constexpr std::array<double, 2> slip_target{0.01, 0.99};

}  // namespace gradus
