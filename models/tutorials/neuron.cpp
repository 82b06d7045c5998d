#include "gradus/framework/compile/executable.hpp"
#include "gradus/models/layers.hpp"
#include "gradus/models/tutorials/all.hpp"
#include "gradus/ops/activation.hpp"

namespace gradus {

namespace {

class Neuron final : public Tutorial {
 public:
  std::string_view name() const override { return "neuron"; }
  std::string_view summary() const override { return "one sigmoid neuron, forward pass"; }
  std::vector<Figure> figures() const override {
    return {{"output", 0.9990889488055994, 0.9990889488055994, 1e-15}};
  }

  Problem problem() const override {
    Problem p{std::make_shared<Graph>(), {}, {}, {}, 1, {}};
    const Expr x = p.graph->input("x", {B, 2});
    p.prediction = sigmoid(linear(x, 1, "neuron", {.weights = values({0, 1}), .bias = values({4})}));
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

const Tutorial& neuron() {
  static const Neuron tutorial;
  return tutorial;
}

}  // namespace gradus
