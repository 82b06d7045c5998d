#include "models/tutorials/neuron.hpp"

#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "models/tutorials/small_network.hpp"

namespace gradus {

namespace {

class Neuron final : public ForwardTutorial {
 public:
  std::string_view name() const override { return "neuron"; }
  std::string_view summary() const override { return "one sigmoid neuron, forward pass"; }

 protected:
  Expr forward(const Expr& x) const override {
    return sigmoid(linear(x, 1, "neuron", {.weights = values({0, 1}), .bias = values({4})}));
  }
  double output() const override { return 0.9990889488055994; }
};

}  // namespace

const Tutorial& neuron() {
  static const Neuron tutorial;
  return tutorial;
}

}  // namespace gradus
