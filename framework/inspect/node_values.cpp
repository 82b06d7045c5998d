#include "gradus/inspect/node_values.hpp"

#include "framework/compile/extract.hpp"

namespace gradus {

namespace {
template <class T> void put_as(const Point& point, Executable<T>& program, Store<T>& store) {
  for (const auto& [name, values] : point) {
    if (program.has_input(name))
      program.feed(name, std::vector<T>(values.begin(), values.end()));
    else if (store.contains(name))
      store.set(name, values);
  }
}
}  // namespace

void put(const Point& point, Executable<double>& program, Store<double>& store) {
  put_as(point, program, store);
}

template <class T>
NodeValues evaluate_nodes(std::span<const Expr> exprs, const Point& point, std::int64_t batch) {
  NodeValues all{extract(exprs, {}).graph, {}};
  std::vector<Expr> nodes;
  std::vector<std::size_t> output_of;
  for (NodeId id = 0; id < all.graph->size(); ++id) {
    output_of.push_back(nodes.size());
    if (!(*all.graph)[id].tuple) nodes.push_back(all.graph->expr(id));
  }
  Store<T> store;
  auto program = compile<T>(std::span(nodes), {}, batch, store, {.optimize = false, .reuse = Reuse::none});
  put_as(point, program, store);
  program.run();
  for (NodeId id = 0; id < all.graph->size(); ++id) {
    auto& values = all.values.emplace_back();
    if ((*all.graph)[id].tuple) continue;
    const auto computed = program.output(output_of[static_cast<std::size_t>(id)]).values;
    values.assign(computed.begin(), computed.end());
  }
  return all;
}

template NodeValues evaluate_nodes<float> GRADUS_PUBLIC(std::span<const Expr>, const Point&, std::int64_t);
template NodeValues evaluate_nodes<double> GRADUS_PUBLIC(std::span<const Expr>, const Point&, std::int64_t);

}  // namespace gradus
