#pragma once

namespace gradus::benchmarks {

/// Proves that the contenders compute the same: from the same weights, on the same data, a few steps lead to
/// the same parameters; and that the gradients of single samples have the batch's gradient as their mean.
/// Error naming the network and the figures when not.
void check_contenders();

}  // namespace gradus::benchmarks
