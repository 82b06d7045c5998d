#pragma once

#include <memory>
#include <span>
#include <vector>

struct fann;

namespace gradus::benchmarks {

/// A network of FANN with one hidden layer, sigmoids, and plain descent, one sample at a time, on the
/// gradient of ½ Σ (o − t)². What FANN does differently, and cannot be told not to: its rate is a float, and
/// for the slope of a sigmoid it takes outputs below 0.01 and above 0.99 for 0.01 and 0.99.
class FannNetwork {
 public:
  /// Whether this was built with FANN; the constructor throws Error if not.
  static bool is_available();

  FannNetwork(unsigned inputs, unsigned hidden, unsigned outputs, double rate);

  void step(std::span<const double> x, std::span<const double> target);

  /// Weights, inputs x outputs, and biases, layer after layer.
  std::vector<double> parameters() const;
  void start_at(std::span<const double> parameters);

 private:
  struct Destroy {
    void operator()(fann* network) const;
  };

  std::unique_ptr<fann, Destroy> network_;
};

}  // namespace gradus::benchmarks
