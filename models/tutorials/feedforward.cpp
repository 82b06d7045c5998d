#include "models/tutorials/feedforward.hpp"

#include "gradus/nn/layers.hpp"
#include "gradus/ops/activation.hpp"
#include "models/tutorials/small_network.hpp"

namespace gradus {

namespace {

class Feedforward final : public ForwardTutorial {
 public:
  std::string_view name() const override { return "feedforward"; }
  std::string_view summary() const override { return "2-2-1 sigmoid network, forward pass"; }

 protected:
  Expr forward(const Expr& x) const override {
    // Every neuron: weights 0 and 1, bias 0.
    const Expr h = sigmoid(linear(x, 2, "hidden", {.weights = values({0, 0, 1, 1})}));
    return sigmoid(linear(h, 1, "output", {.weights = values({0, 1})}));
  }
  double output() const override { return 0.7216325609518421; }
};

}  // namespace

const Tutorial& feedforward() {
  static const Feedforward tutorial;
  return tutorial;
}

}  // namespace gradus
