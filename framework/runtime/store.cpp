#include "gradus/runtime/store.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

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

template <class T> void Store<T>::create(const Variable& variable, const Extents& extents) {
  if (const auto found = state_->slots.find(variable.name); found != state_->slots.end()) {
    if (found->second.extents != extents)
      throw Error(fmt::format("the store holds '{}' with shape {}, but the graph wants {}", variable.name,
                              to_string(found->second.extents), to_string(extents)));
    return;
  }
  const auto count = static_cast<std::size_t>(element_count(extents));
  typename State::Slot slot{extents, count, allocate_aligned(align_up(count * sizeof(T)))};
  if (variable.initializer) {
    std::vector<double> values(count);
    variable.initializer(extents, seed_of(state_->seed, variable.name), values);
    std::ranges::transform(values, slot.data(), [](double v) { return static_cast<T>(v); });
  }
  state_->slots.emplace(variable.name, std::move(slot));
  state_->order.push_back(variable.name);
}

template <class T> void Store<T>::create(const Graph& graph) {
  for (NodeId id = 0; id < graph.size(); ++id)
    if (const Variable* variable = graph[id].variable()) create(*variable, graph[id].shape.resolve({}));
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
