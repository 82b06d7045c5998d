#include "framework/check/gradient_system.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "framework/compile/extract.hpp"
#include "framework/compile/lower.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/base/random.hpp"
#include "gradus/graph/node.hpp"

namespace gradus {

namespace {

// A check asks for the same random numbers in every run.
CompileOptions with_same_draws(CompileOptions options) {
  options.same_draws = true;
  return options;
}

constexpr std::uint64_t rounding_seed = 1;

std::vector<Expr> cotangents_of(const std::vector<Expr>& outputs) {
  std::vector<Expr> inputs;
  inputs.reserve(outputs.size());
  for (const Expr& output : outputs)
    inputs.push_back(cotangent_input(output, fmt::format("cotangent {}", inputs.size())));
  return inputs;
}

bool is_zero(const Expr& gradient) {
  const Full* full = gradient.graph()[gradient.id()].full();
  return full != nullptr && !full->is_dim && full->value == 0;
}

std::size_t count_of(const Expr& expr, std::int64_t batch) {
  return static_cast<std::size_t>(element_count(expr.shape().resolve(batch)));
}

}  // namespace

std::size_t CheckedFunction::entry_count() const {
  std::size_t count = 0;
  for (const Extents& each : extents) count += static_cast<std::size_t>(element_count(each));
  return count;
}

Expr cotangent_input(const Expr& like, const std::string& name) {
  Graph& graph = like.graph();
  const NodeId id = graph.append(std::make_shared<const Input>(Input{name}), {}, like.shape(), Location());
  return graph.name(graph.expr(id), name);
}

std::vector<double> random_cotangent(const Expr& like, std::int64_t batch, std::uint64_t seed) {
  std::vector<double> values(count_of(like, batch), 1.0);
  if (like.shape().rank() == 0) return values;
  Random random(seed, stream_of("cotangent"));
  for (double& v : values) v = random.normal();
  return values;
}

std::vector<Expr> pulled_back(const Expr& expr, std::span<const Expr> wrt, std::int64_t batch,
                              std::uint64_t seed, Point& at) {
  const std::string name = "check/cotangent";
  const Expr cotangent = cotangent_input(expr, name);
  at[name] = random_cotangent(expr, batch, seed);
  return vjp({&expr, 1}, {&cotangent, 1}, wrt);
}

GradientSystem::GradientSystem(std::vector<Expr> outputs, std::vector<Expr> wrt, Point at, std::int64_t batch,
                               const CompileOptions& options)
    : point(std::move(at)),
      outputs_(std::move(outputs)),
      cotangents_(cotangents_of(outputs_)),
      gradients_(vjp(outputs_, cotangents_, wrt)),
      forward_(compile<double>(std::span<const Expr>(outputs_), {}, batch, forward_store_,
                               with_same_draws(options))),
      backward_(compile<double>(std::span<const Expr>(gradients_), {}, batch, backward_store_,
                                with_same_draws(options))) {
  for (const Expr& leaf : wrt) {
    const Node& node = leaf.graph()[leaf.id()];
    if (node.identity() == nullptr)
      throw Error(fmt::format("check_gradient: {} is no input, parameter or state",
                              leaf.graph().describe(leaf.id())));
    names.push_back(node.label);
    extents.push_back(node.shape.resolve(batch));
    const auto found = point.find(node.label);
    if (found == point.end() || found->second.size() != count_of(leaf, batch))
      throw Error(fmt::format("check_gradient: the point must have {} values for {}", count_of(leaf, batch),
                              leaf.graph().describe(leaf.id())));
  }
  for (const Expr& output : outputs_) output_count_ += count_of(output, batch);
  gradus::put(point, forward_, forward_store_);
  gradus::put(point, backward_, backward_store_);
}

void GradientSystem::put(std::size_t leaf, const std::vector<double>& values) const {
  const std::string& name = names[leaf];
  if (forward_.has_input(name))
    forward_.feed(name, values);
  else if (forward_store_.contains(name))
    forward_store_.set(name, values);
}

void GradientSystem::push(std::span<double> outputs) const {
  forward_.run();
  auto to = outputs.begin();
  for (std::size_t i = 0; i < cotangents_.size(); ++i)
    to = std::ranges::copy(forward_.output(i).values, to).out;
}

Point GradientSystem::by_output(const std::vector<double>& cotangent) const {
  Point values;
  auto left = cotangent.begin();
  for (const Expr& input : cotangents_) {
    const auto end = left + static_cast<std::ptrdiff_t>(count_of(input, backward_.batch()));
    values[input.graph()[input.id()].label].assign(left, end);
    left = end;
  }
  return values;
}

std::vector<std::vector<double>> GradientSystem::pull(const std::vector<double>& cotangent) const {
  gradus::put(by_output(cotangent), backward_, backward_store_);
  backward_.run();
  std::vector<std::vector<double>> gradients;
  for (std::size_t t = 0; t < names.size(); ++t) {
    const auto values = backward_.output(t).values;
    gradients.emplace_back(values.begin(), values.end());
  }
  return gradients;
}

double GradientSystem::estimated_nanoseconds() const {
  double sum = 0;
  for (const Step& step : forward_.plan().steps) sum += gradus::estimated_nanoseconds(forward_.plan(), step);
  return sum;
}

const std::vector<double>& GradientSystem::output_rounding() const {
  if (output_rounding_.empty())
    for (const auto& output : Rounding(outputs_, point, forward_.batch(), rounding_seed).at({}))
      output_rounding_.insert(output_rounding_.end(), output.begin(), output.end());
  return output_rounding_;
}

std::vector<std::vector<double>> GradientSystem::gradient_rounding(
    const std::vector<double>& cotangent) const {
  if (!gradient_rounding_) gradient_rounding_.emplace(gradients_, point, backward_.batch(), rounding_seed);
  return gradient_rounding_->at(by_output(cotangent));
}

std::vector<Expr> gradient_leaves(const Expr& expr) {
  // Leaves keep their identity in the extracted copy, which so tells which are needed.
  const Expr outputs[] = {expr};
  const Program needed = extract(outputs, {});
  Graph& graph = expr.graph();
  std::vector<Expr> leaves;
  for (NodeId id = 0; id < needed.graph->size(); ++id) {
    const void* leaf = (*needed.graph)[id].identity();
    if (leaf == nullptr) continue;
    for (NodeId original = 0; original < graph.size(); ++original)
      if (graph[original].identity() == leaf) leaves.push_back(graph.expr(original));
  }
  const Expr cotangent = cotangent_input(expr, "cotangent");
  const auto gradients = vjp(outputs, {&cotangent, 1}, leaves);
  std::vector<Expr> reached;
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (!is_zero(gradients[i])) reached.push_back(leaves[i]);
  return reached;
}

double usual_size(const std::vector<double>& tensor) {
  double largest = 0, squares = 0;
  for (const double v : tensor) largest = std::max(largest, std::abs(v));
  // Relative to the largest: squares of the values themselves may overflow or vanish.
  for (const double v : tensor) squares += largest > 0 ? (v / largest) * (v / largest) : 0;
  return largest * std::sqrt(squares / static_cast<double>(tensor.size()));
}

double gradient_rounding(double largest_value, const std::vector<double>& tensor) {
  const double usual = usual_size(tensor);
  return usual > 0 ? 1e-13 * std::abs(largest_value) / usual : 0;
}

}  // namespace gradus
