#pragma once

#include <vector>

#include "gradus/framework/graph/graph.hpp"
#include "gradus/models/batch_runner.hpp"
#include "gradus/models/optimizers.hpp"
#include "gradus/models/tutorials/tutorial.hpp"

namespace gradus {

/// Inputs and targets, a row a sample.
struct Data {
  std::vector<double> inputs;
  std::vector<double> targets;
  std::int64_t count;
};

using Loss = Expr (*)(Arg prediction, Arg target);

/// A network that maps rows to rows, with the loss that it is trained on and the one that is printed.
struct SmallNetwork {
  using Forward = std::function<Expr(const Expr& x)>;

  SmallNetwork(std::int64_t inputs, std::int64_t outputs, const Forward& forward, Loss training_loss,
               Loss reported_loss)
      : x(graph.input("x", {B, inputs})),
        target(graph.input("target", {B, outputs})),
        y(forward(x)),
        loss(training_loss(y, target)),
        reported(reported_loss(y, target)) {}

  Graph graph;
  Expr x;
  Expr target;
  Expr y;
  Expr loss;
  Expr reported;
};

/// The network for dumps and checks, at its starting weights.
inline Problem problem_of(const std::shared_ptr<SmallNetwork>& network, const Data& data, double rate) {
  Problem p{std::shared_ptr<Graph>(network, &network->graph), network->y, network->loss, {}, data.count, {}};
  p.updates = sgd(p.loss, {.rate = rate});
  p.point = starting_point(*p.graph, 0);
  p.point["x"] = data.inputs;
  p.point["target"] = data.targets;
  return p;
}

/// A small network in training by plain SGD, its samples always in the same order. The network must outlive
/// it.
template <class T>
class SgdTraining {
 public:
  SgdTraining(SmallNetwork& network, const Data& data, double rate, const Store<T>& store)
      : network_(network),
        store_(store),
        step_({network.loss}, sgd(network.loss, {.rate = rate}), network.x, network.target, store),
        report_({network.reported}, {}, network.x, network.target, store),
        source_(rows_of<T>(data.inputs, data.targets, data.count)),
        rows_(rows_in_order(data.count)) {}

  /// One pass over the samples in batches of this size.
  void epoch(std::int64_t batch) { step_.run(rows_, batch, source_); }

  /// The printed loss over all samples, now.
  double loss() { return report_.run(rows_, static_cast<std::int64_t>(rows_.size()), source_).front(); }

  /// Outputs for `count` rows of inputs.
  std::vector<double> predict(const std::vector<double>& inputs, std::int64_t count) {
    auto program = compile<T>({network_.y}, {}, count, store_);
    std::ranges::copy(inputs, program.buffer(network_.x).begin());
    program.run();
    const auto y = program.output().values;
    return {y.begin(), y.end()};
  }

  std::map<std::string, std::vector<double>, std::less<>> parameters() {
    return parameters_of(store_, network_.graph);
  }

 private:
  SmallNetwork& network_;
  Store<T> store_;
  BatchRunner<T> step_;
  BatchRunner<T> report_;
  RowSource<T> source_;
  Rows rows_;
};

/// Full passes over the samples, calling `report(epoch)` after epoch 0, `every`, 2 · `every`, …
template <class T, class Report>
void run_epochs(SgdTraining<T>& training, std::int64_t epochs, std::int64_t batch, std::int64_t every,
                Report report) {
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    training.epoch(batch);
    if (epoch % every == 0) report(epoch);
  }
}

}  // namespace gradus
