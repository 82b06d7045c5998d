// Writes what gradus computes, in double, for torch_check.py to compare with PyTorch: as JSON, to the
// standard output, every row of the op table at a batch of 3, and every op at the points where
// implementations may follow different conventions. Numbers are written with the up to 17 digits that give
// the same double again; JSON has none that are not finite, so these are the texts "nan", "inf" and "-inf".

#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/op_table.hpp"

namespace gradus::test {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

Json json_of(double number) {
  if (std::isfinite(number)) return number;
  return std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
}

Json json_of(const Tensor& tensor) {
  Json values = Json::array();
  for (const double value : tensor.values) values.push_back(json_of(value));
  return {{"extents", tensor.extents}, {"values", values}};
}

Json json_of(const OpRow& row) {
  const Case c(row, 3);
  auto evaluator = c.compile(c.value_and_pulled());
  const auto results = evaluator.run();
  Json inputs = Json::array();
  Json gradients = Json::array();
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    inputs.push_back(json_of(c.inputs[i]));
    inputs.back()["differentiable"] = row.inputs[i].differentiable;
    gradients.push_back(json_of(Tensor{evaluator.extents(1 + i), results[1 + i]}));
  }
  return {{"op", row.op},
          {"label", row.label},
          {"inputs", inputs},
          {"cotangent", json_of(c.cotangent)},
          {"output", json_of(Tensor{evaluator.extents(), results[0]})},
          {"gradients", gradients}};
}

/// An op at chosen values, one vector per input, with a cotangent of ones: the derivative itself.
struct Point {
  std::string op;
  std::string label;
  std::vector<Numbers> inputs;
  std::function<Expr(Graph&, const Exprs&)> build;
};

Json json_of(const Point& point) {
  Graph graph;
  Exprs x;
  Exprs leaves;
  Tensors values;
  const auto leaf = [&](const std::string& name, const Shape& shape, Tensor value) {
    leaves.push_back(graph.input(name, shape));
    values.push_back(std::move(value));
    return leaves.back();
  };
  for (const Numbers& numbers : point.inputs) {
    const Tensor value = Tensor::vector(numbers);
    x.push_back(leaf("x" + std::to_string(x.size()), Shape{value.extents[0]}, value));
  }
  const Expr output = point.build(graph, x);
  const Tensor ones = generate(output.shape().resolve(1), [](const Extents&) { return 1; });
  const Exprs pulled = vjp(Exprs{output}, Exprs{leaf("cotangent", output.shape(), ones)}, x);

  Exprs wanted = {output};
  wanted.insert(wanted.end(), pulled.begin(), pulled.end());
  Evaluator<double> evaluator(wanted);
  evaluator.set(leaves, values);
  const auto results = evaluator.run();
  Json inputs = Json::array();
  Json gradients = Json::array();
  for (std::size_t i = 0; i < x.size(); ++i) {
    inputs.push_back(json_of(values[i]));
    gradients.push_back(json_of(Tensor{evaluator.extents(1 + i), results[1 + i]}));
  }
  return {{"op", point.op},
          {"label", point.label},
          {"inputs", inputs},
          {"output", json_of(Tensor{evaluator.extents(), results[0]})},
          {"gradients", gradients}};
}

/// Kinks, ties and the edges of domains.
std::vector<Point> edge_points() {
  const auto power = [](double p) { return on([p](Expr x) { return pow(x, p); }); };
  const auto powers = on([](Expr a, Expr b) { return pow(a, b); });
  return {
      {"relu", "at_0", {{-0.0, 0.0}}, on([](Expr x) { return relu(x); })},
      {"leaky_relu", "at_0", {{-0.0, 0.0}}, on([](Expr x) { return leaky_relu(x, 0.2); })},
      {"abs", "at_0", {{-0.0, 0.0}}, on([](Expr x) { return abs(x); })},
      {"clip", "at_bounds", {{-1, 0.5}}, on([](Expr x) { return clip(x, -1, 0.5); })},
      {"clip", "equal_bounds", {{0, 1, 2}}, on([](Expr x) { return clip(x, 1, 1); })},
      {"maximum", "tie", {{2, -1}, {2, -1}}, on([](Expr a, Expr b) { return maximum(a, b); })},
      {"maximum", "itself", {{2}}, on([](Expr a) { return maximum(a, a); })},
      {"minimum", "tie", {{2, -1}, {2, -1}}, on([](Expr a, Expr b) { return minimum(a, b); })},
      {"max", "tie", {{3, 1, 3, 3}}, on([](Expr x) { return max(x); })},
      {"max", "tie_along_axis", {{3, 1, 3, 3}}, on([](Expr x) { return max(x, {-1}); })},

      {"div", "by_0", {{1, -1, 0}, {0, 0, 0}}, on([](Expr a, Expr b) { return a / b; })},
      {"sqrt", "at_0", {{0}}, on([](Expr x) { return sqrt(x); })},
      {"sqrt", "below_0", {{-1}}, on([](Expr x) { return sqrt(x); })},
      {"log", "at_0", {{0}}, on([](Expr x) { return log(x); })},
      {"log", "below_0", {{-2}}, on([](Expr x) { return log(x); })},
      {"log1p", "at_minus_1", {{-1}}, on([](Expr x) { return log1p(x); })},
      {"log1p", "below_minus_1", {{-3}}, on([](Expr x) { return log1p(x); })},

      {"pow_number", "0", {{0, -2}}, power(0)},
      {"pow_number", "1", {{0, -2}}, power(1)},
      {"pow_number", "2", {{0, -2}}, power(2)},
      {"pow_number", "3", {{0, -2}}, power(3)},
      {"pow_number", "half", {{0, -2}}, power(0.5)},
      {"pow_number", "three_halves", {{0, -2}}, power(1.5)},
      {"pow_number", "minus_1", {{0, -2}}, power(-1)},
      {"pow", "0_to_not_negative", {{0, 0, 0, 0}, {0, 0.5, 1, 2}}, powers},
      {"pow", "0_to_negative", {{0}, {-1}}, powers},
      {"pow", "negative_to_whole", {{-2, -2, -2, -2}, {0, 2, 3, -1}}, powers},
      {"pow", "negative_to_fraction", {{-2}, {0.5}}, powers},

      {"softplus", "beyond_20", {{25, 40, 800, -800}}, on([](Expr x) { return softplus(x); })},
      {"sigmoid", "far_out", {{40, 800, -800}}, on([](Expr x) { return sigmoid(x); })},
      {"tanh", "far_out", {{40, -800}}, on([](Expr x) { return tanh(x); })},
      {"exp", "overflow", {{800, -800}}, on([](Expr x) { return exp(x); })},
      {"exp", "denormal", {{-740}}, on([](Expr x) { return exp(x); })},
      {"mul", "denormal", {{1e-200}, {1e-120}}, on([](Expr a, Expr b) { return a * b; })},

      {"logsumexp", "some_minus_inf", {{-kInf, 1, 2}}, on([](Expr x) { return logsumexp(x); })},
      {"logsumexp", "all_minus_inf", {{-kInf, -kInf}}, on([](Expr x) { return logsumexp(x); })},
      {"logsumexp", "inf", {{kInf, 1}}, on([](Expr x) { return logsumexp(x); })},
      {"softmax", "some_minus_inf", {{-kInf, 1, 2}}, on([](Expr x) { return softmax(x); })},
      {"softmax", "all_minus_inf", {{-kInf, -kInf}}, on([](Expr x) { return softmax(x); })},
      {"log_softmax", "some_minus_inf", {{-kInf, 1, 2}}, on([](Expr x) { return log_softmax(x); })},
      {"log_softmax", "all_minus_inf", {{-kInf, -kInf}}, on([](Expr x) { return log_softmax(x); })},
      {"cross_entropy",
       "labels_minus_inf_elsewhere",
       {{-kInf, 1, 2}},
       [](Graph& graph, const Exprs& x) {
         return cross_entropy(reshape(x[0], {1, 3}), graph.full(Shape{1}, 2.0));
       }},
      {"binary_cross_entropy", "far_out", {{800, -800, 800, -800}, {1, 1, 0, 0}}, on([](Expr x, Expr t) {
         return binary_cross_entropy(x, t);
       })},

      {"relu", "nan", {{kNan}}, on([](Expr x) { return relu(x); })},
      {"leaky_relu", "nan", {{kNan}}, on([](Expr x) { return leaky_relu(x, 0.2); })},
      {"abs", "nan", {{kNan}}, on([](Expr x) { return abs(x); })},
      {"clip", "nan", {{kNan}}, on([](Expr x) { return clip(x, -1, 0.5); })},
      {"maximum", "nan", {{kNan, 1}, {1, kNan}}, on([](Expr a, Expr b) { return maximum(a, b); })},
      {"minimum", "nan", {{kNan, 1}, {1, kNan}}, on([](Expr a, Expr b) { return minimum(a, b); })},
      {"max", "nan", {{1, kNan, 2}}, on([](Expr x) { return max(x); })},
      {"less", "nan", {{kNan, 1}, {1, kNan}}, on([](Expr a, Expr b) { return a < b; })},
      {"less_equal", "nan", {{kNan, kNan}, {1, kNan}}, on([](Expr a, Expr b) { return a <= b; })},
      {"equal", "nan", {{kNan, kNan}, {1, kNan}}, on([](Expr a, Expr b) { return equal(a, b); })},
      {"not_equal", "nan", {{kNan, kNan}, {1, kNan}}, on([](Expr a, Expr b) { return not_equal(a, b); })},
      {"where", "nan", {{1, 0, kNan}, {5, kNan, 7}, {kNan, 6, 8}}, on([](Expr c, Expr a, Expr b) {
         return where(c, a, b);
       })},
      {"where", "of_log_below_0", {{-1, 2}}, on([](Expr x) { return where(x > 0, log(x), 0); })},
  };
}

Json everything() {
  Json rows = Json::array();
  for (const OpRow& row : op_table()) rows.push_back(json_of(row));
  Json points = Json::array();
  for (const Point& point : edge_points()) points.push_back(json_of(point));
  return {{"rows", rows}, {"points", points}};
}

}  // namespace
}  // namespace gradus::test

int main() try {
  std::cout << gradus::test::everything().dump(1) << std::endl;
  return std::cout ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "torch_rows: %s\n", error.what());
  return 1;
}
