#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/compile/program.hpp"
#include "gradus/check/gradient_check.hpp"
#include "gradus/runtime/store.hpp"
#include "gradus/train/run.hpp"
#include "models/app/report/run_report.hpp"

namespace GRADUS_PUBLIC gradus {

enum class Precision { single, double_ };

/// Calls `f` with a float or a double, to be used for its type.
template <class F> auto with_precision(Precision precision, F f) {
  return precision == Precision::single ? f(float{}) : f(double{});
}

/// A figure that a tutorial is known by.
struct Figure {
  std::string_view quantity;
  std::optional<double> published;  ///< what the tutorial prints, where it prints it
  double expected;                  ///< what an independent double-precision computation gets
  double tolerance;                 ///< of |ours − expected|, in double
  bool relative = false;            ///< the tolerance is a fraction of the expected figure
  double single_tolerance = 1e-4;   ///< the same in single precision
  /// The result of an independent single-precision computation, if rounding makes it differ from `expected`
  /// by more than the tolerance.
  std::optional<double> single_expected = std::nullopt;

  /// The figure that single precision is compared with: the nearer of `expected` and `single_expected`, as
  /// instruction sets round differently.
  double expected_in_single(double ours) const {
    const double other = single_expected.value_or(expected);
    return std::abs(ours - other) < std::abs(ours - expected) ? other : expected;
  }
};

/// The results of training a tutorial from its written-out starting weights.
struct Result {
  std::map<std::string, double, std::less<>> figures;  ///< by quantity
  std::vector<double> losses;                          ///< as often as the tutorial prints them
  std::map<std::string, std::vector<double>, std::less<>> parameters;  ///< after training, by name
};

/// A model ready to be looked at or checked: `prediction` and `loss` of one graph, its updates, and a point
/// at which every leaf has a value. `loss` is null for what cannot be trained.
struct Problem {
  std::shared_ptr<Graph> graph;
  Expr prediction;
  Expr loss;
  std::vector<Update> updates;
  std::int64_t batch = 1;
  Point point;
};

struct ReproduceOptions {
  Precision precision = Precision::double_;
  std::string data = {};  ///< the folder of MNIST, or empty for the usual places
};

struct TrainOptions {
  std::optional<std::int64_t> epochs = {};
  std::optional<double> rate = {};
  std::optional<std::int64_t> batch = {};
  std::optional<double> init_scale = {};  ///< of the starting weights, where the tutorial has one
  std::uint64_t seed = 1;
  int threads = 1;            ///< of a step
  bool reproducible = false;  ///< the same bits everywhere
  std::optional<Precision> precision = {};
  std::string data = {};
  TrainingFiles files = {};
  bool pictures = false;  ///< the report is to hold pictures and the graph
  bool live = false;      ///< progress lines may be overwritten with carriage returns
  std::function<void(std::string_view)> print = {};
  std::string command = {};  ///< as it was typed
};

/// One of the back-propagation tutorials.
class Tutorial {
 public:
  virtual ~Tutorial() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view summary() const = 0;
  virtual std::vector<Figure> figures() const = 0;

  /// Why it cannot take part here, or nothing: data that is missing and how to get it.
  virtual std::optional<std::string> missing(const std::string& data) const {
    (void)data;
    return std::nullopt;
  }
  /// Trains from the written-out starting weights.
  virtual Result reproduce(const ReproduceOptions& options) const = 0;
  /// The options of `train` that are for some tutorials alone and that this one takes: "data", "init_scale".
  virtual std::vector<std::string_view> own_options() const { return {}; }
  /// Trains from random starting weights, printing what the tutorial prints. Error for what has nothing to
  /// train, and for an option that it does not take.
  virtual RunReport train(const TrainOptions& options) const;
  virtual Problem problem() const = 0;
};

/// scale · sin(1 + 12.9898 i + 78.233 j) for row i and column j: starting weights that need no generator.
std::vector<double> sine_pattern(std::int64_t rows, std::int64_t columns, double scale);

/// Every parameter of the store, by name, as doubles.
template <class T>
std::map<std::string, std::vector<double>, std::less<>> parameters_of(const Store<T>& store, Graph& graph);

/// A point for a gradient check: the problem's inputs as given, its variables as the store would start them,
/// with `seed`.
Point starting_point(Graph& graph, std::uint64_t seed);

/// A model for dumps and checks, at its starting weights; its inputs have no values yet.
Problem problem_of(const ModelDefinition& model, std::int64_t batch);

/// The hyperparameters of a run, with all defaults filled in.
struct RunSettings {
  std::int64_t epochs;
  std::int64_t batch;
  double rate;
  Precision precision;
  std::string_view optimizer;
};

/// The beginning of a run's report: name, settings, the options that repeat it. Error for an option that the
/// tutorial does not take.
RunReport begin_report(const Tutorial& tutorial, const RunSettings& settings, const TrainOptions& options);

/// The graph of a training step, for dot, with the prediction as its second output.
std::string training_dot(const ModelGraph& model);

/// The options' value, checked to be above 0 and finite; Error names the option.
std::int64_t epochs_or(const TrainOptions& options, std::int64_t by_default);
std::int64_t batch_or(const TrainOptions& options, std::int64_t by_default);
double rate_or(const TrainOptions& options, double by_default);

}  // namespace gradus
