// A model of one's own in one file, with an op of one's own: learns a parabola.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "checks.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/inspect/dump.hpp"
#include "gradus/ops.hpp"
#include "gradus/runtime/executable.hpp"
#include "gradus/version.hpp"
#include "swish.hpp"

using namespace gradus;

namespace {

void sines(const Extents&, std::uint64_t, std::span<double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(1 + 12.9898 * static_cast<double>(i));
}

}  // namespace

int main() {
  Graph g;
  const Expr x = g.input("x", {B, 1}), t = g.input("t", {B, 1});
  const Expr h = swish(matmul(x, g.parameter("W1", {1, 16}, sines)) + g.parameter("b1", {16}, sines));
  const Expr y = matmul(h, g.parameter("W2", {16, 1})) + g.parameter("b2", {1});
  const Expr loss = mse(y, t);

  std::vector<Update> updates;
  const auto parameters = g.parameters();
  const auto gradients = grad(loss, parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    updates.push_back({parameters[i], sgd_step(parameters[i], gradients[i], 0.1)});

  Store<float> store;
  auto train = compile<float>({loss}, updates, 32, store);
  const std::span<float> xs = train.buffer(x), ts = train.buffer(t);
  for (std::size_t i = 0; i < 32; ++i) {
    xs[i] = static_cast<float>(i) / 16 - 1;
    ts[i] = xs[i] * xs[i];
  }
  for (int step = 0; step < 4000; ++step) train.run();
  std::printf("gradus %s: loss %.2g\n", version, static_cast<double>(train.output().item()));
  const std::string steps = plan_text(train.plan());  // a line each
  const bool fused = std::count(steps.begin(), steps.end(), '\n') < g.size();
  return train.output().item() < 5e-3F && fused && gradients_are_right(loss) && errors_name_the_line(x) &&
                 namesakes_differ()
             ? 0
             : 1;
}
