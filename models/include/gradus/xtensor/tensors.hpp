#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/base/error.hpp"
#include "gradus/runtime/executable.hpp"

/// xtensor at the edge: this header and gradus/xtensor/training.hpp are the only ones that include it. The
/// libraries themselves take spans and extents, so it does not matter with which xtensor options (allocator,
/// SIMD, layout) a program is built. Whatever is taken may be any expression: a view, a sum, integers, bools,
/// column-major. It is evaluated at once. Whatever is returned is a tensor of its own, never an expression.
///
/// xt::sum, xt::mean, xt::transpose and some others take anything: a program that uses both namespaces writes
/// gradus::sum where it means that of an Expr.
namespace GRADUS_PUBLIC gradus {

/// A tensor in row-major order: xt::xarray<T>, unless the program changes xtensor's default layout.
template <class T> using Tensor = xt::xarray<T, xt::layout_type::row_major>;

/// Tensors by the names of leaves.
template <class T> using Tensors = std::map<std::string, Tensor<T>, std::less<>>;

namespace detail {

// The expression itself, where it lies in memory as it should, or else its values as a tensor of T.
template <class T, class E> decltype(auto) row_major(const xt::xexpression<E>& values) {
  using Element = typename E::value_type;
  static_assert(std::is_arithmetic_v<Element>, "gradus takes tensors of integers, bools, floats or doubles");
  if constexpr (std::is_same_v<Element, T> && std::is_base_of_v<xt::xcontainer<E>, E> &&
                E::static_layout == xt::layout_type::row_major)
    return values.derived_cast();
  else
    return Tensor<T>(values.derived_cast());
}

template <class E> Extents extents_of(const E& tensor) {
  return Extents(tensor.shape().begin(), tensor.shape().end());
}

template <class Tensor> auto span_of(const Tensor& tensor) {
  return std::span<const typename Tensor::value_type>(tensor.data(), tensor.size());
}

inline std::vector<std::size_t> shape_of(const Extents& extents) { return {extents.begin(), extents.end()}; }

// The batch of which a leaf would have these extents; 0 where its shape has no batch.
inline std::int64_t batch_of(const Expr& leaf, const Extents& extents) {
  const Shape& shape = leaf.shape();
  const auto fail = [&] {
    throw Error("gradients: the point has " + to_string(extents) + " for " +
                leaf.graph().describe(leaf.id()) + "; give a tensor of that shape");
  };
  if (shape.rank() != extents.size()) fail();
  std::int64_t batch = 0;
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    const Dim dim = shape[axis];
    if (batch == 0 && !dim.is_constant()) batch = (extents[axis] - dim.constant()) / dim.per_batch();
    if (batch < 0 || dim.per_batch() * batch + dim.constant() != extents[axis] || extents[axis] < 1) fail();
  }
  return batch;
}

template <class T> void check_variable(const Store<T>& store, std::string_view name, const Extents& extents) {
  if (extents != store.extents(name))
    throw Error("set: variable '" + std::string(name) + "' has shape " + to_string(store.extents(name)) +
                ", not " + to_string(extents) + "; reshape or transpose the tensor");
}

}  // namespace detail

/// Feeds an expression to an input, given by its leaf or its name. Error unless it has the shape that the
/// input has in this program.
template <class T, class E>
void feed(Executable<T>& executable, const Expr& input, const xt::xexpression<E>& values) {
  const auto& tensor = detail::row_major<T>(values);
  executable.feed(input, detail::span_of(tensor), detail::extents_of(tensor));
}
template <class T, class E>
void feed(Executable<T>& executable, std::string_view name, const xt::xexpression<E>& values) {
  const auto& tensor = detail::row_major<T>(values);
  executable.feed(name, detail::span_of(tensor), detail::extents_of(tensor));
}

/// An output of the last run as a tensor.
template <class T> Tensor<T> to_xtensor(const TensorView<T>& view) {
  Tensor<T> tensor(detail::shape_of(view.extents));
  std::ranges::copy(view.values, tensor.data());
  return tensor;
}

/// A variable (parameter, optimizer slot, counter) as a tensor. Error when there is none of this name.
template <class T> Tensor<T> to_xtensor(const Store<T>& store, std::string_view name) {
  return to_xtensor(TensorView<T>{store.values(name), store.extents(name)});
}

/// The same of a fixed rank, as in `to_xtensor<2>(program.output())`. Error when it has another.
template <std::size_t rank, class T>
xt::xtensor<T, rank, xt::layout_type::row_major> to_xtensor(const TensorView<T>& view) {
  if (view.extents.size() != rank)
    throw Error("to_xtensor<" + std::to_string(rank) + ">: the tensor has shape " + to_string(view.extents) +
                ", which has rank " + std::to_string(view.extents.size()) + "; ask for that rank");
  std::array<std::size_t, rank> shape{};
  std::size_t axis = 0;
  for (std::size_t& extent : shape) extent = static_cast<std::size_t>(view.extents[axis++]);
  xt::xtensor<T, rank, xt::layout_type::row_major> tensor(shape);
  std::ranges::copy(view.values, tensor.data());
  return tensor;
}
template <std::size_t rank, class T>
xt::xtensor<T, rank, xt::layout_type::row_major> to_xtensor(const Store<T>& store, std::string_view name) {
  return to_xtensor<rank>(TensorView<T>{store.values(name), store.extents(name)});
}

/// Variables by their names: of all of a graph's parameters, for example, `to_xtensor(store,
/// g.parameters())`. Error when the store lacks one.
template <class T> Tensors<T> to_xtensor(const Store<T>& store, const std::vector<Expr>& variables) {
  Tensors<T> tensors;
  for (const Expr& leaf : variables) {
    const std::string& name = leaf.graph()[leaf.id()].label;
    tensors.emplace(name, to_xtensor(store, name));
  }
  return tensors;
}

/// Sets a variable. Error when there is none of this name, or it has another shape.
template <class T, class E>
void set(Store<T>& store, std::string_view name, const xt::xexpression<E>& values) {
  const auto& tensor = detail::row_major<T>(values);
  detail::check_variable(store, name, detail::extents_of(tensor));
  std::ranges::copy(detail::span_of(tensor), store.values(name).begin());
}

/// Sets several variables. Error, and nothing is set, when one does not exist or has another shape.
template <class T> void set(Store<T>& store, const Tensors<T>& tensors) {
  for (const auto& [name, tensor] : tensors) detail::check_variable(store, name, detail::extents_of(tensor));
  for (const auto& [name, tensor] : tensors) set(store, name, tensor);
}

/// d loss / d parameter for all parameters of the loss's graph, by their names, each of its parameter's
/// shape. The point has the values of the inputs, and may have some of variables, too; all others have the
/// store's, which is not changed. The batch is what the inputs' shapes say. Error when the loss is not a
/// scalar, when a name is no leaf of the graph, when shapes do not fit, or when a value is missing.
///
///     gradients(loss, {{"x", x}, {"t", t}}, store).at("hidden/W")
template <class T> Tensors<T> gradients(const Expr& loss, const Tensors<T>& point, const Store<T>& store) {
  Graph& graph = loss.graph();
  std::int64_t batch = 0;
  for (const auto& [name, tensor] : point) {
    const std::int64_t its = detail::batch_of(graph.find(name), detail::extents_of(tensor));
    if (its != 0 && batch != 0 && its != batch)
      throw Error("gradients: '" + name + "' has a batch of " + std::to_string(its) + ", but others have " +
                  std::to_string(batch) + "; give all inputs the same number of rows");
    if (its != 0) batch = its;
  }
  const std::vector<Expr> parameters = graph.parameters();
  if (parameters.empty()) return {};
  Store<T> values;
  auto program =
      compile<T>(grad(loss, parameters), {}, std::max<std::int64_t>(batch, 1), values, {.same_draws = true});
  for (const std::string& name : values.names()) {
    if (point.contains(name)) continue;
    if (!store.contains(name))
      throw Error("gradients: neither the point nor the store has '" + name + "' " +
                  to_string(values.extents(name)) + "; add it to the point, or call the store's create");
    set(values, name, to_xtensor(store, name));
  }
  for (const auto& [name, tensor] : point) {
    if (values.contains(name)) set(values, name, tensor);
    if (program.has_input(name)) feed(program, name, tensor);
  }
  program.run();
  Tensors<T> gradients;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    gradients.emplace(graph[parameters[i].id()].label, to_xtensor(program.output(i)));
  return gradients;
}

}  // namespace gradus
