#include "gradus/framework/compile/executable.hpp"
#include "gradus/models/layers.hpp"
#include "gradus/models/tutorials/all.hpp"
#include "gradus/ops/activation.hpp"

namespace gradus {

namespace {

class Feedforward final : public Tutorial {
 public:
  std::string_view name() const override { return "feedforward"; }
  std::string_view summary() const override { return "2-2-1 sigmoid network, forward pass"; }
  std::vector<Figure> figures() const override {
    return {{"output", 0.7216325609518421, 0.7216325609518421, 1e-15}};
  }

  Problem problem() const override {
    Problem p{std::make_shared<Graph>(), {}, {}, {}, 1, {}};
    const Expr x = p.graph->input("x", {B, 2});
    // Every neuron: weights 0 and 1, bias 0.
    const Expr h = sigmoid(linear(x, 2, "hidden", {.weights = values({0, 0, 1, 1})}));
    p.prediction = sigmoid(linear(h, 1, "output", {.weights = values({0, 1})}));
    p.point = starting_point(*p.graph, 0);
    p.point["x"] = {2, 3};
    return p;
  }

  Result reproduce(const ReproduceOptions& options) const override {
    return with_precision(options.precision, [&](auto tag) {
      using T = decltype(tag);
      const Problem p = problem();
      Store<T> store;
      auto program = compile<T>({p.prediction}, {}, 1, store);
      program.feed("x", {2, 3});
      program.run();
      return Result{{{"output", program.output().item()}}, {}, parameters_of(store, *p.graph)};
    });
  }
};

}  // namespace

const Tutorial& feedforward() {
  static const Feedforward tutorial;
  return tutorial;
}

}  // namespace gradus
