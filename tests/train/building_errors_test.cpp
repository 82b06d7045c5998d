// Every mistake in building a model that an op, a layer, an optimizer or a trainer finds: the error says
// which, on which of the user's lines, the operands with their shapes, and what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/custom_op.hpp"
#include "gradus/gradus.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/error_texts.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/graphs.hpp"

namespace gradus {
namespace {

struct Leaves {
  Graph g, other;
  Mode mode{Mode::training};
  Expr x = g.input("x", {B, 4}), rows = g.input("rows", {B}), column = g.input("column", {B, 1});
  Expr w = g.parameter("w", {3, 5}), v = g.input("v", {6}), scalar = g.input("scalar", {});
  Expr stranger = other.input("stranger", {6}), square = g.input("square", {B, B});
};

// An op whose reverse rule yields one cotangent of shape [], or none.
struct Custom final : OpOf<Custom> {
  static constexpr std::string_view name = "custom";
  explicit Custom(bool yields) : yields_one(yields) {}
  Traits traits() const override { return {.view = true}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override {
    return yields_one ? std::vector<Expr>{sum(v.cotangent)} : std::vector<Expr>();
  }
  bool yields_one;
};
// An op that promises two outputs and infers one.
struct Promising final : OpOf<Promising> {
  static constexpr std::string_view name = "promising";
  Traits traits() const override { return {.outputs = 2}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp&) const override { return {}; }
};
Expr one_promised(Arg x) { return make_node(std::make_shared<const Promising>(), {&x, 1}); }
Expr all_promised(Arg x) { return make_nodes(std::make_shared<const Promising>(), {&x, 1})[0]; }
Expr no_cotangent(Arg x) { return make_node(std::make_shared<const Custom>(false), {&x, 1}); }
Expr scalar_cotangent(Arg x) { return make_node(std::make_shared<const Custom>(true), {&x, 1}); }

ModelDefinition model(PredictionFunction loss, std::vector<Metric> metrics = {},
                      std::vector<double> class_weights = {}) {
  return {.inputs = {{"x", {B, 3}}},
          .target = {"t", {B, 1}},
          .network = [](Expr x) { return linear(x, 1, "y"); },
          .loss = std::move(loss),
          .metrics = std::move(metrics),
          .class_weights = std::move(class_weights)};
}

Expr per_sample(Expr y, Expr t) { return sum(square(y) + sum(t), {1}); }

ModelDefinition of_classes(const Shape& target, std::int64_t answers) {
  ModelDefinition made = model(per_sample, {}, {1, 2});
  made.target.shape = target;
  made.network = [answers](Expr x) { return linear(x, answers, "y"); };
  return made;
}

ModelDefinition of_two() {
  ModelDefinition made = model(mse);
  made.network = [](Expr x, Expr z) { return x + z; };
  return made;
}

struct Mistake {
  std::string op;                  // as the error begins
  std::vector<std::string> parts;  // operands, and what else it says
  void (*make)(Leaves& l);
  Location where;
};
std::ostream& operator<<(std::ostream& out, const Mistake& mistake) { return out << mistake.op; }

Mistake row(std::string op, std::vector<std::string> parts, void (*make)(Leaves& l),
            Location where = Location::current()) {
  return {std::move(op), std::move(parts), make, where};
}

const Mistake mistakes[] = {
    row("add", {"x [B, 4]", "w [3, 5]"}, [](Leaves& l) { l.x + l.w; }),
    row("add", {"v [6]", "stranger [6]", "two graphs"}, [](Leaves& l) { l.v + l.stranger; }),
    row("add", {"v [6]", "nothing", "empty"}, [](Leaves& l) { l.v + Expr(); }),
    row("Expr", {"2", "stands alone"}, [](Leaves&) { Expr(2).shape(); }),
    row("Expr", {"nothing", "empty expression"}, [](Leaves&) { Expr().graph(); }),
    row("named", {"2", "must be a node"}, [](Leaves&) { named(2, "two"); }),
    row("name", {"stranger [6]", "not in this graph"}, [](Leaves& l) { l.g.name(l.stranger, "s"); }),
    row("find", {"no input, parameter or state 'y'", "it has: column, rows, scalar"},
        [](Leaves& l) { l.g.find("y"); }),
    row("Expr", {"nothing", "empty expression"}, [](Leaves& l) { l.mode.update(Expr(), 2); }),
    row("mode", {"another graph", "a Mode for each"},
        [](Leaves& l) { l.mode.generator(l.g), l.mode.generator(l.other); }),
    row("mode", {"x [B, 4]", "1", "only a state"}, [](Leaves& l) { l.mode.update(l.x, 1); }),
    row("mode", {"w [3, 5]", "v [6]", "update already, made at"},
        [](Leaves& l) { l.mode.update(l.w, l.w), l.mode.update(l.w, l.v); }),
    row("Expr", {"2", "stands alone"}, [](Leaves& l) { l.g.require_update(2); }),
    row("promising", {"v [6]", "promise 2 outputs, its shape rule 1"}, [](Leaves& l) { all_promised(l.v); }),
    row("promising", {"v [6]", "make_nodes gives them all"}, [](Leaves& l) { one_promised(l.v); }),
    row("mul", {"nothing", "2", "must be a node"}, [](Leaves&) { Expr() * 2; }),
    row("sub", {"column [B, 1]", "rows [B]", "two batch axes"}, [](Leaves& l) { l.column - l.rows; }),
    row("where", {"rows [B]", "column [B, 1]"}, [](Leaves& l) { where(l.rows, l.column, 0); }),
    row("matmul", {"x [B, 4]", "w [3, 5]", "inner dimensions differ"}, [](Leaves& l) { matmul(l.x, l.w); }),
    row("matmul", {"v [6]", "w [3, 5]", "matrices"}, [](Leaves& l) { matmul(l.v, l.w); }),
    row("matmul", {"w [3, 5]", "2", "bare number"}, [](Leaves& l) { matmul(l.w, 2); }),
    row("sum", {"v [6]", "no axis 1"}, [](Leaves& l) { sum(l.v, {1}); }),
    row("sum", {"w [3, 5]", "twice"},
        [](Leaves& l) {
          sum(l.w, {1, 1});
        }),
    row("sum", {"2.5", "must be a node"}, [](Leaves&) { sum(2.5); }),
    row("sum", {"2.5", "must be a node"}, [](Leaves&) { sum(2.5, Axes{}); }),
    row("mean", {"nothing", "must be a node"}, [](Leaves&) { mean(Expr()); }),
    row("norm", {"nothing", "must be a node"}, [](Leaves&) { norm(Expr(), {}); }),
    row("mean", {"square [B, B]", "B times B has no form"}, [](Leaves& l) { mean(l.square); }),
    row("reshape", {"square [B, B]", "has no form"}, [](Leaves& l) { reshape(l.square, {-1}); }),
    row("mean", {"v [6]", "no axis 1"}, [](Leaves& l) { mean(l.v, {1}); }),
    row("softmax", {"scalar []", "no axis -1"}, [](Leaves& l) { softmax(l.scalar); }),
    row("log_softmax", {"3", "must be a node"}, [](Leaves&) { log_softmax(3); }),
    row("logsumexp", {"v [6]", "no axis -2"}, [](Leaves& l) { logsumexp(l.v, -2); }),
    row("broadcast_to", {"w [3, 5]", "cannot be broadcast to [3]"},
        [](Leaves& l) { broadcast_to(l.w, {3}); }),
    row("broadcast_to", {"2", "use graph.full"}, [](Leaves&) { broadcast_to(2, {3}); }),
    row("broadcast_to", {"v [6]", "[1073741824, 1073741824, 6] has more than"},
        [](Leaves& l) {
          broadcast_to(l.v, {1 << 30, 1 << 30, 6});
        }),
    row("broadcast_to", {"nothing", "must be a node"}, [](Leaves&) { broadcast_to(Expr(), {3}); }),
    row("transpose", {"w [3, 5]", "each axis once"},
        [](Leaves& l) {
          transpose(l.w, {0, 0});
        }),
    row("transpose", {"2", "must be a node"}, [](Leaves&) { transpose(2); }),
    row("reshape", {"w [3, 5]", "cannot be reshaped to [2, 2]"},
        [](Leaves& l) {
          reshape(l.w, {2, 2});
        }),
    row("reshape", {"w [3, 5]", "15 divided by 4"},
        [](Leaves& l) {
          reshape(l.w, {4, -1});
        }),
    row("reshape", {"nothing", "must be a node"}, [](Leaves&) { reshape(Expr(), {4}); }),
    row("flatten", {"scalar []", "no rows"}, [](Leaves& l) { flatten(l.scalar); }),
    row("flatten", {"7", "must be a node"}, [](Leaves&) { flatten(7); }),
    row("slice", {"v [6]", "does not lie within 6"}, [](Leaves& l) { slice(l.v, 0, 1, 8); }),
    row("slice", {"v [6]", "below 1"}, [](Leaves& l) { slice(l.v, 0, 4, 4); }),
    row("slice", {"2", "must be a node"}, [](Leaves&) { slice(2, 0, 0, 1); }),
    row("concat", {"x [B, 4]", "v [6]", "ranks differ"},
        [](Leaves& l) {
          concat({l.x, l.v}, 0);
        }),
    row("concat", {"v [6]", "stranger [6]"},
        [](Leaves& l) {
          concat({l.v, l.stranger}, 0);
        }),
    row("concat", {"w [3, 5]", "x [B, 4]", "outside of axis 0"},
        [](Leaves& l) {
          concat({l.w, l.x}, 0);
        }),
    row("concat", {"nothing to join"}, [](Leaves&) { concat({}, 0); }),
    row("linear_recurrence", {"w [3, 5]", "x [B, 4]", "shapes differ"},
        [](Leaves& l) { linear_recurrence(l.w, l.x, 0); }),
    row("gaussian", {"v [6]", "positive and finite"}, [](Leaves& l) { gaussian(l.v, 0); }),
    row("gaussian", {"v [6]", "positive and finite"}, [](Leaves& l) { gaussian(l.v, HUGE_VAL); }),
    row("clip", {"v [6]", "lower bound"}, [](Leaves& l) { clip(l.v, 2, 1); }),
    row("random_uniform", {"v [6]", "shape [4]"}, [](Leaves& l) { random_uniform(l.v, 1, {2}); }),
    row("one_hot", {"nothing"}, [](Leaves&) { one_hot(Expr(), 3); }),
    row("stop_gradient", {"2"}, [](Leaves&) { stop_gradient(2); }),
    row("mse", {"column [B, 1]", "rows [B]", "same shape"}, [](Leaves& l) { mse(l.column, l.rows); }),
    row("mse", {"1", "2", "must be a node"}, [](Leaves&) { mse(1, 2); }),
    row("half_squared_error", {"column [B, 1]", "rows [B]"},
        [](Leaves& l) { half_squared_error(l.column, l.rows); }),
    row("binary_cross_entropy", {"column [B, 1]", "rows [B]"},
        [](Leaves& l) { binary_cross_entropy(l.column, l.rows); }),
    row("logistic_loss", {"column [B, 1]", "rows [B]"}, [](Leaves& l) { logistic_loss(l.column, l.rows); }),
    row("cross_entropy", {"scalar []", "the classes"}, [](Leaves& l) { cross_entropy(l.scalar, l.scalar); }),
    row("cross_entropy", {"x [B, 4]", "column [B, 1]", "one-hot"},
        [](Leaves& l) { cross_entropy(l.x, l.column); }),
    row("cross_entropy", {"2", "x [B, 4]", "must be nodes"}, [](Leaves& l) { cross_entropy(2, l.x); }),
    row("cross_entropy", {"x [B, 4]", "1", "must be nodes"}, [](Leaves& l) { cross_entropy(l.x, 1); }),
    row("cross_entropy", {"column [B, 1]", "always 0"}, [](Leaves& l) { cross_entropy(l.column, l.column); }),
    row("grad", {"v [6]", "must be a scalar", "give vjp a cotangent"}, [](Leaves& l) { grad(l.v, l.v); }),
    row("grad", {"scalar []", "stranger [6]", "two graphs"}, [](Leaves& l) { grad(l.scalar, l.stranger); }),
    row("grad", {"scalar []", "2", "bare number"}, [](Leaves& l) { grad(l.scalar, 2); }),
    row("grad", {"nothing", "must be a node"}, [](Leaves&) { grad(Expr(), Expr()); }),
    row("vjp", {"nothing to differentiate"},
        [](Leaves& l) {
          vjp({}, {}, {&l.v, 1});
        }),
    row("vjp", {"v [6]", "x [B, 4]", "the value's shape"},
        [](Leaves& l) {
          vjp({&l.v, 1}, {&l.x, 1}, {&l.v, 1});
        }),
    row("jvp", {"v [6]", "1 values but 0 directions"},
        [](Leaves& l) {
          jvp({&l.v, 1}, {&l.v, 1}, {});
        }),
    row("jvp", {"v [6]", "nothing", "empty"},
        [](Leaves& l) {
          const Expr none;
          jvp({&l.v, 1}, {&l.v, 1}, {&none, 1});
        }),
    row("grad", {"v [6]", "must be a scalar"},
        [](Leaves& l) {
          hvp(l.v, {&l.v, 1}, {&l.v, 1});
        }),
    row("vjp", {"full#7 []", "x [B, 4]", "the value's shape"},
        [](Leaves& l) {
          hvp(l.scalar, {&l.scalar, 1}, {&l.x, 1});
        }),
    row("constant", {"nan", "is no number"}, [](Leaves&) { constant(NAN); }),
    row("normal", {"mean 0, stddev -1", "at least 0"}, [](Leaves&) { normal(0, -1); }),
    row("uniform", {"lo 2, hi 1", "lo at most hi"}, [](Leaves&) { uniform(2, 1); }),
    row("setting 'p'", {"the value is nan"}, [](Leaves& l) { l.g.setting("p", NAN); }),
    row("input", {"'x'", "taken by the input"}, [](Leaves& l) { l.g.input("x", {2}); }),
    row("parameter", {"name is empty"}, [](Leaves& l) { l.g.parameter("", {2}); }),
    row("parameter 'p'", {"[B, 2]", "holds the batch"},
        [](Leaves& l) {
          l.g.parameter("p", {B, 2});
        }),
    row("state 'q'", {"[2, 0]", "at least 1"},
        [](Leaves& l) {
          l.g.state("q", {2, 0});
        }),
    row("constant", {"3 values", "[2, 2]"},
        [](Leaves& l) {
          l.g.constant({2, 2}, {1, 2, 3});
        }),
    row("linear 'a'", {"v [6]", "[B, features]"}, [](Leaves& l) { linear(l.v, 3, "a"); }),
    row("linear 'a'", {"2", "must be a node"}, [](Leaves&) { linear(2, 3, "a"); }),
    row("linear 'a'", {"nothing", "must be a node"}, [](Leaves&) { linear(Expr(), 3, "a"); }),
    row("dropout 'd'", {"x [B, 4]", "[0, 1)"}, [](Leaves& l) { dropout(l.x, 1.5, "d", l.mode); }),
    row("dropout 'd'", {"nothing", "must be a node"}, [](Leaves& l) { dropout(Expr(), 0.5, "d", l.mode); }),
    row("dropout 'd'", {"x [B, 4]", "has this name, too"},
        [](Leaves& l) { dropout(l.x, 0.5, "d", l.mode), dropout(l.x, 0.5, "d", l.mode); }),
    row("layer_norm 'n'", {"rows [B]", "the features"}, [](Leaves& l) { layer_norm(l.rows, "n"); }),
    row("layer_norm 'n'", {"2", "must be a node"}, [](Leaves&) { layer_norm(2, "n"); }),
    row("layer_norm 'n'", {"x [B, 4]", "epsilon"}, [](Leaves& l) { layer_norm(l.x, "n", {.epsilon = -1}); }),
    row("batch_norm 'n'", {"scalar []", "the features"},
        [](Leaves& l) { batch_norm(l.scalar, "n", l.mode); }),
    row("batch_norm 'n'", {"nothing", "must be a node"}, [](Leaves& l) { batch_norm(Expr(), "n", l.mode); }),
    row("batch_norm 'n'", {"x [B, 4]", "momentum"},
        [](Leaves& l) { batch_norm(l.x, "n", l.mode, {.momentum = 2}); }),
    row("accuracy", {"x [B, 4]", "v [6]", "one-hot"}, [](Leaves& l) { accuracy().of(l.x, l.v); }),
    row("accuracy", {"scalar []", "the classes"}, [](Leaves& l) { accuracy().of(l.scalar, l.scalar); }),
    row("accuracy", {"rows [B]", "the classes"}, [](Leaves& l) { accuracy().of(l.rows, l.rows); }),
    row("accuracy", {"column [B, 1]", "one class"}, [](Leaves& l) { accuracy().of(l.column, l.column); }),
    row("accuracy", {"2", "3", "must be a node"}, [](Leaves&) { accuracy().of(2, 3); }),
    row("top_k_accuracy", {"x [B, 4]", "nothing", "empty"},
        [](Leaves& l) { top_k_accuracy(2).of(l.x, Expr()); }),
    row("top_k_accuracy", {"k is 0"}, [](Leaves&) { top_k_accuracy(0); }),
    row("balanced_weights", {"class 1 has 0 samples"},
        [](Leaves&) {
          balanced_weights(std::vector<std::int64_t>{3, 0});
        }),
    row("binary_accuracy", {"the threshold is nan"}, [](Leaves&) { binary_accuracy(NAN); }),
    row("binary_accuracy", {"2", "3", "must be a node"}, [](Leaves&) { binary_accuracy().of(2, 3); }),
    row("mean_absolute_error", {"nothing"}, [](Leaves&) { mean_absolute_error().of(Expr(), Expr()); }),
    row("binary_accuracy", {"column [B, 1]", "rows [B]"},
        [](Leaves& l) { binary_accuracy().of(l.column, l.rows); }),
    row("mean_absolute_error", {"column [B, 1]", "rows [B]"},
        [](Leaves& l) { mean_absolute_error().of(l.column, l.rows); }),
    row("mse", {"column [B, 1]", "rows [B]"}, [](Leaves& l) { mean_squared_error().of(l.column, l.rows); }),
    row("sgd", {"the learning rate", "is -1"}, [](Leaves&) { sgd({.rate = -1}); }),
    row("sgd", {"the learning rate", "is inf"}, [](Leaves& l) { sgd(l.scalar, {.rate = INFINITY}); }),
    row("sgd", {"the momentum", "is 1"}, [](Leaves&) { sgd({.momentum = 1}); }),
    row("adam", {"beta1", "is -0.5"}, [](Leaves&) { adam({.beta1 = -0.5}); }),
    row("adam", {"beta2", "is 1"}, [](Leaves&) { adamw({.adam = {.beta2 = 1}}); }),
    row("adam", {"epsilon", "is -1"}, [](Leaves& l) { adam(l.scalar, {.epsilon = -1}); }),
    row("adam", {"the weight decay", "is 0"}, [](Leaves&) { adamw({.decay = 0}); }),
    row("nadam", {"momentum decay", "is -1"}, [](Leaves&) { nadam({.momentum_decay = -1}); }),
    row("rmsprop", {"the smoothing", "is 2"}, [](Leaves&) { rmsprop({.smoothing = 2}); }),
    row("rmsprop", {"the momentum", "is 1"}, [](Leaves&) { rmsprop({.momentum = 1}); }),
    row("rmsprop", {"epsilon", "is -1"}, [](Leaves&) { rmsprop({.epsilon = -1}); }),
    row("adagrad", {"epsilon", "is -1"}, [](Leaves&) { adagrad({.epsilon = -1}); }),
    row("adagrad", {"initial sum", "is -1"}, [](Leaves&) { adagrad({.initial = -1}); }),
    row("rprop", {"the decrease", "is 1"}, [](Leaves&) { rprop({.decrease = 1}); }),
    row("rprop", {"the increase", "is 1"}, [](Leaves&) { rprop({.increase = 1}); }),
    row("rprop", {"smallest step", "is 0"}, [](Leaves&) { rprop({.smallest_step = 0}); }),
    row("rprop", {"initial step", "is 0"}, [](Leaves&) { rprop({.initial_step = 0}); }),
    row("rprop", {"learning rate, and it has none"}, [](Leaves&) { rprop().decay_weights(0.1); }),
    row("groups", {"it has none of its own"},
        [](Leaves&) {
          groups({{"*", sgd()}}).decay_weights(0.1);
        }),
    row("groups", {"no states to be kept under 'g'"},
        [](Leaves&) {
          groups({{"*", sgd()}}).named("g");
        }),
    row("sgd", {"its name is to be empty"}, [](Leaves&) { sgd().named(""); }),
    row("sgd", {"transform is an empty function"}, [](Leaves&) { sgd().transform(nullptr); }),
    row("sgd", {"clip_value", "is 0"}, [](Leaves&) { sgd().clip_value(0); }),
    row("sgd", {"clip_norm", "is -1"}, [](Leaves&) { sgd().clip_norm(-1); }),
    row("sgd", {"l2_penalty", "is nan"}, [](Leaves&) { sgd().l2_penalty(NAN); }),
    row("own", {"the learning rate", "is -2"},
        [](Leaves&) { Optimizer("own", -2, [](ParameterStep& s) { return s.parameter; }); }),
    row("sgd", {"2", "must be a node"}, [](Leaves&) { sgd(2); }),
    row("sgd", {"2 parameters and 0 gradients"},
        [](Leaves& l) {
          sgd({l.w, l.w}, std::vector<Expr>{});
        }),
    row("sgd", {"w [3, 5]", "v [6]", "the shape of its parameter"}, [](Leaves& l) { sgd({l.w}, {l.v}); }),
    row("sgd", {"nothing to train"}, [](Leaves& l) { sgd(sum(l.stranger)); }),
    row("groups", {"decides no parameter", "w"},
        [](Leaves& l) {
          groups({{"w", sgd()}, {"a", adam()}})(sum(l.w));
        }),
    row("groups", {"no pattern matches", "'w'"},
        [](Leaves& l) {
          l.g.parameter("a", {}), groups({{"a", sgd()}})(sum(l.w));
        }),
    row("groups", {"no group"}, [](Leaves&) { groups({}); }),
    row("groups", {"named 'sgd'"},
        [](Leaves&) {
          groups({{"a", sgd()}, {"b", sgd()}});
        }),
    row("sgd", {"parameters of 1"},
        [](Leaves& l) { sgd().transform([](StepValues& s) { s.parameters.clear(); })(sum(l.w)); }),
    row("sgd", {"hold [] for w [3, 5]"},
        [](Leaves& l) {
          sgd().transform([](StepValues& s) { s.gradients[0] = sum(s.gradients[0]); })(sum(l.w));
        }),
    row("sgd", {"'sgd/rate' already"}, [](Leaves& l) { sgd(sum(l.w)), sgd(sum(l.w)); }),
    row("Trainer", {"inputs, a network and a loss"}, [](Leaves&) { Trainer<float>(ModelDefinition{}); }),
    row("Trainer", {"takes 2 inputs, but the model has 1"}, [](Leaves&) { Trainer<float>{of_two()}; }),
    row("Trainer", {"loss must be a scalar", "[B, 1]"},
        [](Leaves&) { Trainer<float>(model([](Expr y, Expr t) { return y - t; })); }),
    row("Trainer", {"nothing", "must be a node"},
        [](Leaves&) { Trainer<float>(model([](Expr, Expr) { return Expr(); })); }),
    row("Trainer", {"2", "must be a node"},
        [](Leaves&) { Trainer<float>(model([](Expr, Expr) { return Expr(2); })); }),
    row("Trainer", {"'m' must be a scalar", "[B, 1]"},
        [](Leaves&) {
          Trainer<float>(model(mse, {{"m", [](Expr y, Expr t) { return y - t; }}}));
        }),
    row("Trainer", {"no sample can be weighted", "[]"},
        [](Leaves&) {
          Trainer<float>(model(mse, {}, {1, 2}));
        }),
    row("Trainer", {"y [B, 1]", "t [B, 1]", "has one factor"},
        [](Leaves&) { Trainer<float>(model(per_sample, {}, {1})); }),
    row("Trainer", {"y [B, 1]", "t [B, 1]", "the factor 1 of class_weights is -2"},
        [](Leaves&) {
          Trainer<float>(model(per_sample, {}, {1, -2}));
        }),
    row("Trainer", {"y [B, 1]", "t [B, 1]", "3 factors, but the target"},
        [](Leaves&) {
          Trainer<float>(model(per_sample, {}, {1, 2, 3}));
        }),
    row("Trainer", {"y [B, 3]", "t [B, 3]", "2 factors, but the target", "nor [B, 1], 0 or 1"},
        [](Leaves&) {
          Trainer<float>(of_classes({B, 3}, 3));
        }),
    row("Trainer", {"y [B, 3]", "t [B]", "the prediction is not of so many"},
        [](Leaves&) { Trainer<float>(of_classes({B}, 3)); }),
    row("custom", {"0 cotangents for 1 inputs", "[6]"}, [](Leaves& l) { grad(sum(no_cotangent(l.v)), l.v); }),
    row("custom", {"shape [] for input 0 of shape [6]"},
        [](Leaves& l) { grad(sum(scalar_cotangent(l.v)), l.v); }),
};

class BuildingErrors : public testing::TestWithParam<Mistake> {};
INSTANTIATE_TEST_SUITE_P(All, BuildingErrors, testing::ValuesIn(mistakes));

TEST_P(BuildingErrors, SayOpLineAndOperands) {
  Leaves leaves;
  const std::string message = test::error_of([&] { GetParam().make(leaves); });
  const std::string begin = GetParam().op + " at building_errors_test.cpp:";
  ASSERT_THAT(message, testing::StartsWith(begin));
  // The line is one of the row's.
  EXPECT_NEAR(std::stoi(message.substr(begin.size())), static_cast<int>(GetParam().where.line), 3) << message;
  test::expect_parts(message, GetParam().parts);
}

// What the rooms throw that building does not reach, or that cannot know a line.
bool is_not_of_building(const test::ErrorText& error) {
  // Of training, data and files: they name the call, the file or the row.
  const std::set<std::string> files{
      "callbacks.cpp",      "checkpoint.cpp",  "data_split.cpp",    "counted_rows.cpp",
      "dataset.cpp",        "event_file.cpp",  "event_summary.cpp", "history.cpp",
      "model_weights.cpp",  "position.cpp",    "programs.hpp",      "run.cpp",
      "schedules.cpp",      "tensorboard.cpp", "trainer.cpp",       "training_loop.cpp",
      "training_state.cpp", "weights.cpp",     "weight_values.cpp"};
  const std::vector<std::string> texts{
      "shapes cannot be broadcast together",  // caught: the op names its operands
      "extent {} is {} for batch {}",         // when a batch size is bound
      "is beyond 64 bits",                    // of extents alone, or for a batch
      "a tensor of shape {} has more than",
      "has a side of 2^31",
      "more than 16 axes",  // kernels, compiled for known sizes
      "initializer {}: extents",
      "initializer values():",  // when a store makes the variable
      "the number of tensors in the data",
      "the rows of tensor",    // data for a trainer
      "inputs, but is given",  // a network called by hand; a trainer counts its inputs before
  };
  return files.contains(error.file) || std::ranges::any_of(texts, [&](const std::string& text) {
           return error.text.find(text) != std::string::npos;
         });
}

// Whoever adds a throw adds a row: each text of an error in these rooms is one that a row provokes.
TEST(BuildingErrors, AreAllProvoked) {
  std::string provoked;
  for (const Mistake& mistake : mistakes) {
    Leaves leaves;
    provoked += test::error_of([&] { mistake.make(leaves); }) + '\n';
  }
  std::size_t count = 0;
  for (const char* room :
       {"framework/graph", "framework/autodiff", "framework/include/gradus/graph",
        "framework/include/gradus/autodiff", "ops", "models/nn", "models/optim", "models/train",
        "models/include/gradus/nn", "models/include/gradus/optim", "models/include/gradus/train"})
    for (const test::ErrorText& error : test::error_texts(room)) {
      ++count;
      if (is_not_of_building(error)) continue;
      for (const std::string& part : error.parts)
        EXPECT_THAT(provoked, testing::HasSubstr(part)) << error.file << ": " << error.text;
    }
  EXPECT_GT(count, 150U);
}

}  // namespace
}  // namespace gradus
