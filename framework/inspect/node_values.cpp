#include "gradus/framework/inspect/node_values.hpp"

namespace gradus {

void put(const Point& point, Executable<double>& program, Store<double>& store) {
  for (const auto& [name, values] : point) {
    if (program.has_input(name))
      program.feed(name, values);
    else if (store.contains(name))
      store.set(name, values);
  }
}

NodeValues evaluate_nodes(std::span<const Expr> exprs, const Point& point, std::int64_t batch) {
  NodeValues all{extract(exprs, {}).graph, {}};
  std::vector<Expr> nodes;
  for (NodeId id = 0; id < all.graph->size(); ++id) nodes.push_back(all.graph->expr(id));
  Store<double> store;
  auto program =
      compile<double>(std::span(nodes), {}, batch, store, {.optimize = false, .reuse = Reuse::none});
  put(point, program, store);
  program.run();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto values = program.output(i).values;
    all.values.emplace_back(values.begin(), values.end());
  }
  return all;
}

}  // namespace gradus
