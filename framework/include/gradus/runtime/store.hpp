#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/graph/graph.hpp"

namespace GRADUS_PUBLIC gradus {

struct Node;

/// The values that outlive a run: parameters, optimizer slots, counters, by name. Executables of any batch
/// size, for training or not, of one graph or several, share one store; copies of a Store are the same store.
///
/// A variable is created when a graph that has it is first compiled, or by `create`, and starts with its
/// initializer, whose random stream depends on the store's seed and the variable's name alone. Parameters
/// that are there keep their values, whatever another graph's initializer says. States are more careful, so
/// that no graph trains with what another one asked for: Error, naming both places, when a new graph asks for
/// a setting (a learning rate) other than the one held, or for a state that would start in another way.
template <class T> class Store {
 public:
  /// An empty store; `seed` is where all starting values come from.
  explicit Store(std::uint64_t seed = 0);

  /// Creates the graph's variables that the store does not have yet. Error when one it has differs in shape
  /// or, a state, in what the graph asks for.
  void create(const Graph& graph);

  /// Whether there is a variable of this name.
  bool contains(std::string_view name) const;
  /// In the order of creation.
  std::vector<std::string> names() const;
  /// The extents of a variable; Error naming those that exist when there is none of this name.
  const Extents& extents(std::string_view name) const;
  /// The values, row-major, to read or to write in place between runs.
  std::span<T> values(std::string_view name);
  std::span<const T> values(std::string_view name) const;
  /// Sets a variable from doubles, row-major; Error when the count differs. Creates nothing.
  void set(std::string_view name, std::span<const double> values);
  void set(std::string_view name, std::initializer_list<double> values) { set(name, std::span(values)); }

  /// Gives the variable of this name or, if there is none, every one whose name begins so ("adam/") its
  /// starting value again. Error when there is none of them either.
  void reset(std::string_view prefix);
  /// Forgets the same ones: the next graph that has them creates them anew. Error as above. Programs that
  /// were compiled before go on with the values that the store no longer has; compile them again.
  void drop(std::string_view prefix);

 private:
  template <class> friend class Executable;
  struct State;
  void create(const Node& node);

  std::shared_ptr<State> state_;
};

extern template class Store<float>;
extern template class Store<double>;

}  // namespace gradus
