// A model of one's own with an op of one's own: learns a parabola, has its gradients checked, and catches an
// error that the library throws.
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "gradus/framework/compile/executable.hpp"
#include "gradus/framework/graph/gradient.hpp"
#include "gradus/framework/inspect/gradient_check.hpp"
#include "gradus/ops.hpp"
#include "gradus/version.hpp"
#include "swish.hpp"

using namespace gradus;

namespace {

Initializer sines(double scale) {
  return [scale](const Extents&, std::uint64_t, std::span<double> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = scale * std::sin(1 + 12.9898 * static_cast<double>(i));
  };
}

struct Model {
  Graph g;
  Expr x = g.input("x", {B, 1});
  Expr t = g.input("t", {B, 1});
  Expr y, loss;

  Model() {
    const Expr h = swish(matmul(x, g.parameter("W1", {1, 16}, sines(1))) + g.parameter("b1", {16}, sines(1)));
    y = matmul(h, g.parameter("W2", {16, 1}, sines(0.5))) + g.parameter("b2", {1});
    loss = mse(y, t);
  }
};

bool names_the_line(Model& model) {
  try {
    matmul(model.x, model.x);
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return std::string(error.what()).starts_with("matmul at model.cpp:");
  }
  return false;
}

}  // namespace

int main() {
  Model model;
  std::vector<Update> updates;
  const auto parameters = model.g.parameters();
  const auto gradients = grad(model.loss, parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    updates.push_back({parameters[i], descend(parameters[i], gradients[i], 0.1)});

  Store<float> store;
  auto train = compile<float>({model.loss}, updates, 32, store);
  std::vector<float> x, t;
  for (int i = 0; i < 32; ++i) {
    x.push_back(static_cast<float>(i) / 16 - 1);
    t.push_back(x.back() * x.back());
  }
  train.feed(model.x, x);
  train.feed(model.t, t);
  for (int step = 0; step < 2000; ++step) train.run();
  const float loss = train.output();

  const Point point{{"x", {-0.5, 0.25, 1}},
                    {"t", {1, 0, 2}},
                    {"W1", std::vector<double>(16, 0.75)},
                    {"b1", std::vector<double>(16, 0.1)},
                    {"W2", std::vector<double>(16, -0.3)},
                    {"b2", {0.5}}};
  const bool right = check_gradient(model.loss, parameters, point, 3).ok();
  const bool fused = train.plan().steps.size() < model.g.size();
  std::printf("gradus %s: loss %.2g, gradients %s\n", version, static_cast<double>(loss),
              right ? "right" : "WRONG");
  return loss < 1e-3F && right && fused && names_the_line(model) ? 0 : 1;
}
