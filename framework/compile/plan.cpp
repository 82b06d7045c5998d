#include "framework/compile/plan.hpp"

#include <algorithm>

namespace gradus {

namespace {
// The operand of a loop, not of its producer, that is this node.
std::optional<std::size_t> find_operand(const Step& loop, NodeId node) {
  for (std::size_t i = loop.producer_operands; i < loop.operands.size(); ++i)
    if (loop.operands[i].node == node) return i;
  return std::nullopt;
}
}  // namespace

NodeId read_through(const Plan& plan, const Step& loop, NodeId input) {
  const bool as_it_is = !plan.node(input).traits().broadcast || find_operand(loop, input);
  return as_it_is ? input : plan.node(input).inputs.front();
}

std::optional<std::size_t> operand_of(const Plan& plan, const Step& loop, NodeId input) {
  return find_operand(loop, read_through(plan, loop, input));
}

std::vector<std::size_t> last_readers(const Plan& plan, const Step& loop) {
  std::vector<std::size_t> last(loop.operands.size(), 0);
  for (std::size_t n = loop.producer_operands > 0 ? 1 : 0; n < loop.nodes.size(); ++n)
    for (const NodeId input : plan.node(loop.nodes[n]).inputs)
      if (const auto operand = operand_of(plan, loop, input)) last[*operand] = n;
  return last;
}

std::size_t position_of(const Plan& plan, const Step& loop, NodeId value) {
  const NodeId node = plan.node(value).output() != nullptr ? plan.node(value).inputs.front() : value;
  return static_cast<std::size_t>(std::ranges::find(loop.nodes, node) - loop.nodes.begin());
}

}  // namespace gradus
