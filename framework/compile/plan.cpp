#include "framework/compile/plan.hpp"

#include <algorithm>

namespace gradus {

namespace {

// An op that does as much for each element is better off with larger panels.
constexpr double flop_of_large_panels = 16;
constexpr std::size_t small_panel = 16UL * 1024, large_panel = 96UL * 1024;

}  // namespace

std::size_t panel_bytes(const Op& op, const KernelShapes& shapes) {
  const bool large =
      op.flop(shapes) >= flop_of_large_panels * static_cast<double>(element_count(shapes.output()));
  return large ? large_panel : small_panel;
}

NodeId read_through(const Plan& plan, const Step& loop, NodeId input) {
  const bool as_it_is = !plan.node(input).broadcast || loop.reads(input);
  return as_it_is ? input : plan.node(input).source();
}

std::size_t last_reader(const Plan& plan, const Step& loop, NodeId value) {
  const auto reads = [&](NodeId input) { return read_through(plan, loop, input) == value; };
  for (std::size_t n = loop.nodes.size(); n-- > loop.first_in_loop();)
    if (std::ranges::any_of(plan.node(loop.nodes[n]).inputs, reads)) return n;
  return 0;
}

std::size_t position_of(const Plan& plan, const Step& loop, NodeId value) {
  const NodeId node = plan.node(value).output() != nullptr ? plan.node(value).source() : value;
  return static_cast<std::size_t>(std::ranges::find(loop.nodes, node) - loop.nodes.begin());
}

}  // namespace gradus
