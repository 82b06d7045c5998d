#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gradus/runtime/executable.hpp"

namespace GRADUS_PUBLIC gradus {

/// Values of inputs, parameters and state, row-major, by name.
using Point = std::map<std::string, std::vector<double>, std::less<>>;

/// Puts a point into a program's inputs and into a store; names that neither has are passed over.
void put(const Point& point, Executable<double>& program, Store<double>& store);

/// The values of all nodes, computed one by one as written: no folding, no fusion, nothing shared.
struct NodeValues {
  std::shared_ptr<Graph> graph;             ///< a copy of what the expressions need
  std::vector<std::vector<double>> values;  ///< by node id; none for an op of several outputs
};

/// The values of all nodes that the expressions need, computed in T. Error when the point lacks an input that
/// is needed.
template <class T = double>
NodeValues evaluate_nodes(std::span<const Expr> exprs, const Point& point, std::int64_t batch);

}  // namespace gradus
