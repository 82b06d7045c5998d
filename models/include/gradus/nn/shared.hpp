#pragma once

#include <functional>
#include <utility>

#include "gradus/graph/graph.hpp"

namespace GRADUS_PUBLIC gradus {

/// A layer, or a network of layers, that is applied to several inputs with the same parameters:
///
///     auto tower = shared([](Expr x) { return tanh(linear(x, 8, "tower")); });
///     const Expr distance = square(tower(left) - tower(right));
///
/// The first application in a graph creates the parameters, and each later one uses them. Their names are for
/// this handle alone: Error, as ever, when something else has one of them. Error also when an application
/// wants a parameter in another shape. What may be in a graph once only, such as a dropout's name, is no
/// parameter: give it a name by an argument, since all arguments of an application are passed on.
template <class Build> class Shared {
 public:
  /// The function that builds it.
  explicit Shared(Build build) : build_(std::move(build)) {}

  /// Applies it.
  template <class... More> auto operator()(const Expr& x, More&&... more) {
    const Graph::Sharing sharing(x.graph(), own_);
    return std::invoke(build_, x, std::forward<More>(more)...);
  }

 private:
  Build build_;
  Graph::Variables own_;
};

/// A handle of a layer by the function that builds it.
template <class Build> Shared<Build> shared(Build build) { return Shared<Build>(std::move(build)); }

}  // namespace gradus
