#include "gradus/runtime/store.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "framework/runtime/store_state.hpp"
#include "gradus/base/random.hpp"

namespace gradus {

template <class T> auto Store<T>::State::find(std::string_view name) -> Slot& {
  const auto found = slots.find(name);
  if (found == slots.end())
    throw Error(fmt::format("the store has no variable '{}'; it has: {}", name,
                            order.empty() ? "none (compile a graph first, or call create)"
                                          : fmt::format("{}", fmt::join(order, ", "))));
  return found->second;
}

template <class T> Store<T>::Store(std::uint64_t seed) : state_(std::make_shared<State>()) {
  state_->seed = seed;
}

template <class T>
std::vector<T> Store<T>::State::start_of(const Variable& variable, const Extents& extents,
                                         Location where) const {
  const auto count = static_cast<std::size_t>(element_count(extents));
  require_memory(count * sizeof(double));
  std::vector<double> values(count);
  try {
    if (variable.initializer) variable.initializer(extents, seed_of(seed, variable.name), values);
  } catch (const Error& error) {
    throw Error(fmt::format("{} '{}' at {}: {}", variable.trainable ? "parameter" : "state", variable.name,
                            to_string(where), error.what()));
  }
  std::vector<T> start(values.size());
  std::ranges::transform(values, start.begin(), [](double v) { return static_cast<T>(v); });
  return start;
}

template <class T> void Store<T>::State::admit(Slot& slot, const Node& node) const {
  const auto& variable = std::get<std::shared_ptr<const Variable>>(node.content);
  if (variable->trainable || std::ranges::find(slot.known, variable) != slot.known.end()) return;
  const Variable& maker = *slot.known.front();
  if (variable->initializer || maker.initializer) {
    const std::vector<T> asked = start_of(*variable, slot.extents, node.where);
    const auto held = std::span(slot.data(), slot.count);
    if (!std::ranges::equal(asked, held) &&
        (variable->is_setting || asked != start_of(maker, slot.extents, slot.where))) {
      const auto differs = std::ranges::mismatch(asked, held).in1 - asked.begin();
      throw Error(fmt::format(
          "the store holds the state '{}', made at {}: {} of it is {}, but the graph asks for {} at {}; set "
          "it or drop it in the store before the graph is compiled, or give its owner a name of its own",
          variable->name, to_string(slot.where),
          slot.extents.empty() ? "the value" : fmt::format("entry {}", differs), held[differs],
          asked[static_cast<std::size_t>(differs)], to_string(node.where)));
    }
  }
  std::erase_if(slot.known, [&](const auto& each) { return each.get() != &maker && each.use_count() == 1; });
  slot.known.push_back(variable);
}

template <class T> std::vector<std::string> Store<T>::State::matching(std::string_view prefix) const {
  if (slots.contains(prefix)) return {std::string(prefix)};
  std::vector<std::string> names;
  std::ranges::copy_if(order, std::back_inserter(names),
                       [&](const std::string& name) { return name.starts_with(prefix); });
  if (names.empty())
    throw Error(fmt::format("the store has no variable whose name begins with '{}'; it has: {}", prefix,
                            order.empty() ? "none" : fmt::format("{}", fmt::join(order, ", "))));
  return names;
}

template <class T> void Store<T>::create(const Node& node) {
  const auto& variable = std::get<std::shared_ptr<const Variable>>(node.content);
  const Extents extents = node.shape.resolve({});
  if (const auto found = state_->slots.find(variable->name); found != state_->slots.end()) {
    if (found->second.extents != extents)
      throw Error(fmt::format(
          "the store holds '{}' with shape {}, made at {}, but the graph wants {} at {}; give one of them a "
          "name of its own, drop it in the store first, or take another store",
          variable->name, to_string(found->second.extents), to_string(found->second.where),
          to_string(extents), to_string(node.where)));
    state_->admit(found->second, node);
    return;
  }
  const auto count = static_cast<std::size_t>(element_count(extents));
  typename State::Slot slot{
      extents, count, allocate_aligned(align_up(count * sizeof(T))), node.where, {variable}};
  if (variable->initializer) std::ranges::copy(state_->start_of(*variable, extents, node.where), slot.data());
  state_->slots.emplace(variable->name, std::move(slot));
  state_->order.push_back(variable->name);
}

template <class T> void Store<T>::create(const Graph& graph) {
  for (NodeId id = 0; id < graph.size(); ++id)
    if (graph[id].variable() != nullptr) create(graph[id]);
}

template <class T> void Store<T>::reset(std::string_view prefix) {
  for (const std::string& name : state_->matching(prefix)) {
    const auto& slot = state_->find(name);
    std::ranges::copy(state_->start_of(*slot.known.front(), slot.extents, slot.where), slot.data());
  }
}

template <class T> void Store<T>::drop(std::string_view prefix) {
  for (const std::string& name : state_->matching(prefix)) {
    state_->slots.erase(name);
    std::erase(state_->order, name);
  }
}

template <class T> bool Store<T>::contains(std::string_view name) const {
  return state_->slots.contains(name);
}

template <class T> std::vector<std::string> Store<T>::names() const { return state_->order; }

template <class T> const Extents& Store<T>::extents(std::string_view name) const {
  return state_->find(name).extents;
}

template <class T> std::span<T> Store<T>::values(std::string_view name) {
  auto& slot = state_->find(name);
  return {slot.data(), slot.count};
}

template <class T> std::span<const T> Store<T>::values(std::string_view name) const {
  const auto& slot = state_->find(name);
  return {slot.data(), slot.count};
}

template <class T> void Store<T>::set(std::string_view name, std::span<const double> values) {
  const auto& slot = state_->find(name);
  if (values.size() != slot.count)
    throw Error(fmt::format("'{}' has shape {}: {} values, not {}", name, to_string(slot.extents), slot.count,
                            values.size()));
  std::ranges::transform(values, slot.data(), [](double v) { return static_cast<T>(v); });
}

template class Store<float>;
template class Store<double>;

}  // namespace gradus
