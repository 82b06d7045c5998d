#pragma once

#include <algorithm>
#include <string_view>
#include <vector>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>

#include "gradus/runtime/executable.hpp"

/// xtensor at the edge: the only header of gradus that includes it. The library itself takes spans and
/// extents, so it does not matter with which xtensor options (allocator, SIMD) a program is built.
namespace GRADUS_PUBLIC gradus {

/// Feeds an xtensor expression; its shape must be the input's. Error otherwise.
template <class T, class E>
void feed(Executable<T>& executable, const Expr& input, const xt::xexpression<E>& values) {
  const xt::xarray<T, xt::layout_type::row_major> evaluated = values.derived_cast();
  executable.feed(input, std::span<const T>(evaluated.data(), evaluated.size()),
                  Extents(evaluated.shape().begin(), evaluated.shape().end()));
}

/// An output as a tensor of its own.
template <class T>
xt::xarray<T> to_xtensor(const TensorView<T>& view) {
  xt::xarray<T> tensor(std::vector<std::size_t>(view.extents.begin(), view.extents.end()));
  std::ranges::copy(view.values, tensor.begin());
  return tensor;
}

/// A variable as a tensor of its own.
template <class T>
xt::xarray<T> to_xtensor(const Store<T>& store, std::string_view name) {
  return to_xtensor(TensorView<T>{store.values(name), store.extents(name)});
}

/// Sets a variable from an xtensor expression; its shape must be the variable's. Error otherwise.
template <class T, class E>
void set(Store<T>& store, std::string_view name, const xt::xexpression<E>& values) {
  const xt::xarray<double, xt::layout_type::row_major> evaluated = values.derived_cast();
  const Extents extents(evaluated.shape().begin(), evaluated.shape().end());
  if (extents != store.extents(name))
    throw Error("'" + std::string(name) + "' has shape " + to_string(store.extents(name)) + ", not " +
                to_string(extents));
  store.set(name, std::span<const double>(evaluated.data(), evaluated.size()));
}

}  // namespace gradus
