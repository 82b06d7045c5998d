#pragma once

#include <string>
#include <vector>

#include "gradus/graph/graph.hpp"
#include "gradus/runtime/store.hpp"

namespace gradus {

/// The identity of a model and of the options it was made with, in numbers that a checkpoint can hold.
struct ModelIdentity {
  /// The identity of a training graph whose variables were just created in the store.
  template <class T> ModelIdentity(const Graph& training, const Store<T>& store);

  std::vector<double> nodes;           ///< a hash for each node of the training graph
  std::vector<std::string> places;     ///< as many: the node and the user's line
  std::vector<std::string> variables;  ///< in the order of the store
  std::vector<bool> settings;          ///< as many: whether it is a learning rate
  std::vector<double> starts;          ///< as many: the root mean square of what it starts with
};

}  // namespace gradus
