#include "framework/check/gradient_rounding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "framework/autodiff/add.hpp"
#include "framework/compile/extract.hpp"
#include "gradus/base/random.hpp"
#include "gradus/graph/node.hpp"

namespace gradus {

namespace {

constexpr std::uint64_t trials = 8;

struct Moved {
  Program program;
  std::vector<NodeId> values;  // before they are moved
  std::vector<std::string> moves;
  std::vector<std::vector<NodeId>> operands;  // of the values
};

// A copy in which an input is added to everything that is computed.
Moved with_moves(const std::vector<Expr>& exprs) {
  Moved moved;
  moved.program = rebuild(extract(exprs, {}), [&](Graph& to, const Node& node) -> NodeId {
    const std::vector<NodeId>& inputs = node.inputs;
    if (inputs.empty() || node.tuple || node.view) return -1;
    const NodeId value = to.append(node.content, inputs, node.shape, node.where);
    const std::string name = fmt::format("check/move {}", moved.moves.size());
    const NodeId move = to.append(std::make_shared<const Input>(Input{name}), {}, node.shape, node.where);
    to.name(to.expr(move), name);
    moved.values.push_back(value);
    moved.moves.push_back(name);
    moved.operands.push_back(node.output() == nullptr ? inputs : to[inputs.front()].inputs);
    return to.append(std::make_shared<const Add>(), {value, move}, node.shape, node.where);
  });
  return moved;
}

Executable<double> compiled(const Moved& moved, std::int64_t batch, Store<double>& store) {
  Graph& graph = *moved.program.graph;
  std::vector<Expr> outputs;
  for (const NodeId id : moved.program.outputs) outputs.push_back(graph.expr(id));
  for (const NodeId id : moved.values) outputs.push_back(graph.expr(id));
  for (const auto& operands : moved.operands)
    for (const NodeId id : operands) outputs.push_back(graph.expr(id));
  return compile<double>(std::span<const Expr>(outputs), {}, batch, store,
                         {.optimize = false, .reuse = Reuse::none});
}

}  // namespace

Rounding::Rounding(const std::vector<Expr>& exprs, const Point& point, std::int64_t batch, std::uint64_t seed)
    : seed_(seed), count_(exprs.size()), program_([&] {
        Moved moved = with_moves(exprs);
        moves_ = std::move(moved.moves);
        std::size_t next = count_ + moves_.size();
        for (const auto& operands : moved.operands)
          for (auto& of = operands_.emplace_back(); of.size() < operands.size();) of.push_back(next++);
        return compiled(moved, batch, store_);
      }()) {
  put(point, program_, store_);
}

std::vector<std::vector<double>> Rounding::at(const Point& inputs) {
  put(inputs, program_, store_);
  std::vector<std::vector<double>> largest;
  for (std::size_t i = 0; i < count_; ++i) largest.emplace_back(program_.output(i).values.size(), 0.0);
  try {
    move({}, 0);
    const auto exact = values();
    picked_.clear();
    for (std::size_t m = 0; m < moves_.size(); ++m) picked_.push_back(picks(m));
    for (std::uint64_t trial = 0; trial < trials; ++trial) {
      move(exact, trial);
      const auto moved = values();
      for (std::size_t i = 0; i < count_; ++i)
        for (std::size_t k = 0; k < exact[i].size(); ++k)
          largest[i][k] = std::max(largest[i][k], std::abs(moved[i][k] - exact[i][k]));
    }
  } catch (const Error&) {
    for (auto& tensor : largest) std::ranges::fill(tensor, 0.0);
  }
  return largest;
}

// The values of the expressions, then those of the nodes that are moved.
std::vector<std::vector<double>> Rounding::values() {
  program_.run();
  std::vector<std::vector<double>> all;
  for (std::size_t i = 0; i < count_ + moves_.size(); ++i) {
    const auto output = program_.output(i).values;
    all.emplace_back(output.begin(), output.end());
  }
  return all;
}

// Are all values the operands', or their negatives, or zero?
bool Rounding::picks(std::size_t move) const {
  std::unordered_set<double> known{0.0};
  for (const std::size_t operand : operands_[move])
    for (const double v : program_.output(operand).values) known.insert(std::abs(v));
  return std::ranges::all_of(program_.output(count_ + move).values,
                             [&](double v) { return known.contains(std::abs(v)); });
}

// By up to one unit in the last place of what they are; without values, not at all.
void Rounding::move(const std::vector<std::vector<double>>& exact, std::uint64_t trial) {
  for (std::size_t m = 0; m < moves_.size(); ++m) {
    std::vector<double> moves(program_.output(count_ + m).values.size(), 0.0);
    Random random(seed_ + trial, stream_of(moves_[m]));
    if (!exact.empty() && !picked_[m])
      for (std::size_t k = 0; k < moves.size(); ++k)
        moves[k] = random.uniform(-1, 1) * std::numeric_limits<double>::epsilon() * exact[count_ + m][k];
    program_.feed(moves_[m], moves);
  }
}

}  // namespace gradus
