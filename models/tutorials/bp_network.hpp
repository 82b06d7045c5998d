#pragma once

#include <cstdint>

#include "gradus/xtensor/tensors.hpp"
#include "models/tutorials/small_network.hpp"
#include "models/tutorials/tutorial.hpp"

namespace GRADUS_PUBLIC gradus {

/// The flexible back-propagation network: inputs-hidden-outputs, all sigmoid, trained on whole batches of
/// matrices with the summed (not mean) gradient of ½ (y − target)².
class BpNetwork {
 public:
  using Matrix = xt::xarray<double>;

  /// Weights start as init_scale · N(0, 1), biases at zero. With the published scale of 0.01 the hidden units
  /// start alike and XOR is never learnt. Error unless all sizes are at least 1.
  BpNetwork(std::int64_t inputs, std::int64_t hidden, std::int64_t outputs, double init_scale = 1,
            std::uint64_t seed = 1);

  /// `epochs` steps on x [B, inputs] and targets [B, outputs]. Returns the mean square error afterwards.
  double train(const Matrix& x, const Matrix& targets, std::int64_t epochs, double rate);

  /// [B, inputs] → [B, outputs].
  Matrix predict(const Matrix& x);

 private:
  Trainer<double> trainer_;
  std::int64_t outputs_;
};

/// n-h-o sigmoid, whole batch as matrices, shown on XOR.
const Tutorial& bp_network();

}  // namespace gradus
