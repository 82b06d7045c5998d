#include "recipe.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/aligned.hpp"
#include "gradus/base/random.hpp"
#include "gradus/graph/node.hpp"

namespace gradus::fuzz {

Built::Built(std::int64_t batch, std::uint64_t seed) {
  recipe.batch = batch;
  recipe.seed = seed;
}

Built::Built(const Recipe& from) : Built(from.batch, from.seed) {
  for (const Step& step : from.steps) append(step);
  recipe = from;
  for (const std::size_t step : from.outputs) outputs.push_back(exprs.at(step));
  for (const auto& [variable, value] : from.updates) updates.push_back({exprs.at(variable), exprs.at(value)});
}

std::size_t Built::append(Step step) {
  const std::size_t number = recipe.steps.size();
  const Form& form = *step.form;
  Site site{step, {}, {}, {}, recipe.batch};
  std::vector<Expr> in;
  for (const std::size_t operand : step.in) {
    in.push_back(exprs.at(operand));
    site.in.push_back(facts[operand]);
    site.shapes.push_back(is_number(operand) ? Shape() : shape(operand));
  }
  recipe.steps.push_back(step);
  try {
    const std::string name = name_of(recipe, number);
    const Expr expr = form.build(graph, step, name, in);
    if (expr.is_node()) site.shape = expr.shape();
    site.shape.resolve(recipe.batch);
    facts.push_back(form.facts(form, site));
    exprs.push_back(expr);
    if (form.kind == Form::Kind::input || form.kind == Form::Kind::variable) point[name] = step.numbers;
  } catch (...) {
    recipe.steps.pop_back();
    throw;
  }
  return number;
}

std::string name_of(const Recipe& recipe, std::size_t step) {
  const Form& form = *recipe.steps[step].form;
  const char* prefix = form.kind == Form::Kind::input      ? "x"
                       : form.kind == Form::Kind::constant ? "c"
                       : form.op == "parameter"            ? "w"
                       : form.op == "state"                ? "s"
                                                           : "y";
  return prefix + std::to_string(step);
}

Recipe pruned(const Recipe& recipe) {
  std::vector<bool> live(recipe.steps.size(), false);
  for (const std::size_t step : recipe.outputs) live[step] = true;
  for (const auto& [variable, value] : recipe.updates) live[variable] = live[value] = true;
  for (std::size_t i = live.size(); i-- > 0;)
    if (live[i])
      for (const std::size_t in : recipe.steps[i].in) live[in] = true;
  Recipe to{recipe.seed, recipe.batch};
  std::vector<std::size_t> renamed(live.size());
  for (std::size_t i = 0; i < live.size(); ++i) {
    if (!live[i]) continue;
    renamed[i] = to.steps.size();
    to.steps.push_back(recipe.steps[i]);
    for (std::size_t& in : to.steps.back().in) in = renamed[in];
  }
  for (const std::size_t step : recipe.outputs) to.outputs.push_back(renamed[step]);
  for (const auto& [variable, value] : recipe.updates)
    to.updates.emplace_back(renamed[variable], renamed[value]);
  return to;
}

double largest_of(const std::vector<double>& values) {
  double largest = 0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  return largest;
}

namespace {

// Zeros and ones, or multiples of 2^-24: never rounded.
bool is_exact(const Op& op) {
  constexpr std::string_view names[] = {"less",      "less_equal", "equal",
                                        "not_equal", "one_hot",    "random_uniform"};
  return std::ranges::find(names, op.name()) != std::end(names);
}

// Moves what the kernel rounded: what is no operand's value, but for the sign.
void disturb(std::vector<double>& values, const Op& op,
             const std::vector<const std::vector<double>*>& operands, const Noise& noise, Random& random) {
  std::vector<double> exact;
  // The digits that sums and products of operands have lost when they cancel.
  double cancelled = op.elementwise() != nullptr || op.name() == "random_normal" ? 0 : 1;
  for (const std::vector<double>* operand : operands) {
    for (const double v : *operand) exact.push_back(std::abs(v));
    cancelled *= largest_of(*operand);
  }
  std::ranges::sort(exact);
  for (double& v : values) {
    if (std::ranges::binary_search(exact, std::abs(v))) continue;
    if (noise.seed > 0) v += (std::abs(v) + cancelled) * noise.size * (2 * random.uniform() - 1);
    if (noise.to_float) v = static_cast<float>(v);
    // A sum that cancels to almost nothing may cancel to nothing, which `where` and the like tell apart.
    if (noise.seed > 0 && std::abs(v) < cancelled * noise.size && random.below(2) == 0) v = 0;
  }
}

}  // namespace

std::vector<std::vector<double>> interpret(const Graph& graph, const Point& point, std::int64_t batch,
                                           const Noise& noise) {
  Random random(noise.seed, stream_of("rounding"));
  std::vector<std::vector<double>> all;
  all.reserve(static_cast<std::size_t>(graph.size()));  // pointers to them stay
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph[id];
    if (node.tuple) {
      all.emplace_back();
      continue;
    }
    const Node& applied = node.output() == nullptr ? node : graph[node.inputs.front()];
    const Op* op = applied.op();
    std::vector<double> values(static_cast<std::size_t>(element_count(node.shape.resolve(batch))));
    if (node.identity() != nullptr) {
      const auto found = point.find(node.label);
      if (found == point.end() || found->second.size() != values.size())
        throw Error("interpret: no values for " + graph.describe(id));
      values = found->second;
    } else if (const Full* full = node.full()) {
      std::ranges::fill(values, full->resolve(batch));
    } else if (const Constant* constant = node.constant()) {
      values = constant->values;
    } else if (op->traits().view) {
      values = all[static_cast<std::size_t>(node.inputs.front())];
    } else {
      std::vector<const std::vector<double>*> operands;
      std::vector<const double*> pointers;
      for (const NodeId input : applied.inputs) {
        operands.push_back(&all[static_cast<std::size_t>(input)]);
        pointers.push_back(operands.back()->data());
      }
      const NodeId id_of_op = node.output() == nullptr ? id : node.inputs.front();
      std::vector<std::vector<double>> others(op->traits().outputs, values);
      std::vector<double*> outputs;
      for (auto& other : others) outputs.push_back(other.data());
      outputs[node.output() == nullptr ? 0 : node.output()->index] = values.data();
      const KernelShapes shapes = kernel_shapes(graph, id_of_op, batch);
      const AlignedBytes workspace = allocate_aligned(op->workspace_bytes(shapes, DType::float64));
      std::get<Kernel<double>>(op->kernel(shapes, DType::float64))(
          {pointers.data(), outputs.data(), workspace.get()});
      if (noise.size > 0 && !is_exact(*op)) disturb(values, *op, operands, noise, random);
    }
    all.push_back(std::move(values));
  }
  return all;
}

}  // namespace gradus::fuzz
