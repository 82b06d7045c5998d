#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/data/array.hpp"
#include "gradus/train/trainer.hpp"
#include "gradus/xtensor/tensors.hpp"

/// Training on xtensor's tensors, and predictions as such: see gradus/xtensor/tensors.hpp.
namespace GRADUS_PUBLIC gradus {

/// Any xtensor expression: a tensor, a view, a sum.
template <class E>
concept TensorExpression = xt::is_xexpression<std::remove_cvref_t<E>>::value;

namespace detail {

template <class V> constexpr ElementType element_type() {
  if constexpr (std::is_same_v<V, bool>) return ElementType::boolean;
  if constexpr (std::is_floating_point_v<V>) return sizeof(V) == 4 ? ElementType::f32 : ElementType::f64;
  constexpr std::array signed_types{ElementType::i8, ElementType::i16, ElementType::i32, ElementType::i64};
  constexpr std::array unsigned_types{ElementType::u8, ElementType::u16, ElementType::u32, ElementType::u64};
  constexpr std::size_t size = sizeof(V) == 1 ? 0 : sizeof(V) == 2 ? 1 : sizeof(V) == 4 ? 2 : 3;
  return (std::is_signed_v<V> ? signed_types : unsigned_types)[size];
}

// The expression's values, in its own element type: bytes of pixels stay bytes. A temporary is moved from.
template <class E> Array to_array(E&& values) {
  using Element = typename std::remove_cvref_t<E>::value_type;
  static_assert(std::is_arithmetic_v<Element>, "gradus takes tensors of integers, bools, floats or doubles");
  using Kept = std::conditional_t<std::is_same_v<Element, long double>, double, Element>;
  const auto tensor = std::make_shared<const Tensor<Kept>>(std::forward<E>(values));
  return {{"", element_type<Kept>(), extents_of(*tensor), std::as_bytes(span_of(*tensor))}, tensor};
}

// All must have a row for each sample.
inline void check_samples(const std::vector<Array>& tensors) {
  const Extents& first = tensors.front().tensor.extents;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Extents& extents = tensors[i].tensor.extents;
    const std::string what = "make_dataset: tensor " + std::to_string(i) + " has shape " + to_string(extents);
    if (extents.empty())
      throw Error(what + ", but the first axis must be that of the samples; give one of rank 1 or more");
    if (extents[0] == 0) throw Error(what + ", so there are no samples; give at least one");
    if (extents[0] != first[0])
      throw Error(what + " and tensor 0 " + to_string(first) +
                  "; the first axis is that of the samples, of which all must have the same number");
  }
}

// Inputs, and the target if there is one more, must have the shapes that the model wants.
inline void check_feeds(const ModelGraph& model, const std::vector<Array>& tensors) {
  const std::vector<Expr> leaves = model.feeds();
  if (tensors.size() < model.inputs.size() || tensors.size() > leaves.size()) {
    std::string names;
    for (const Expr& leaf : leaves) names += (names.empty() ? "" : ", ") + model.graph.describe(leaf.id());
    throw Error("make_dataset: there are " + std::to_string(tensors.size()) + " tensors, but the model has " +
                std::to_string(model.inputs.size()) + " inputs and a target (" + names +
                "); give them in this order, the target where it is needed");
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Extents& extents = tensors[i].tensor.extents;
    Extents wanted = leaves[i].shape().resolve(extents[0]);
    if (wanted != extents)
      throw Error("make_dataset: " + std::string(i < model.inputs.size() ? "input " : "target ") +
                  model.graph.describe(leaves[i].id()) + " takes " + to_string(wanted) + " for " +
                  std::to_string(extents[0]) + " samples, but the tensor has shape " + to_string(extents) +
                  "; reshape it so that each sample is one of the model's");
  }
}

}  // namespace detail

/// A data set of tensors: one for each input of a model and, last, the targets, all with the samples along
/// the first axis, as in `make_dataset<float>(x, t)`. The values are copied (moved from a temporary) in their
/// own element type, and become T as steps want them. Error when a tensor has no axis or no sample, or when
/// their numbers of samples differ.
template <class T, TensorExpression... E> Dataset<T> make_dataset(E&&... tensors) {
  static_assert(sizeof...(E) > 0, "a data set needs a tensor");
  const std::vector<Array> arrays{detail::to_array(std::forward<E>(tensors))...};
  detail::check_samples(arrays);
  return Dataset<T>(arrays);
}

/// The same for this trainer's model: Error, by the name of the input or target, also when a tensor has not
/// the shape that the model wants, or when there are more or fewer. Without the target where that is not
/// needed.
template <class T, TensorExpression... E> Dataset<T> make_dataset(Trainer<T>& trainer, E&&... tensors) {
  static_assert(sizeof...(E) > 0, "a data set needs a tensor");
  const std::vector<Array> arrays{detail::to_array(std::forward<E>(tensors))...};
  detail::check_samples(arrays);
  detail::check_feeds(trainer.graph(Mode::inference), arrays);
  return Dataset<T>(arrays);
}

/// The predictions for all samples, [n, …] for a prediction of [B, …]; targets are not needed. Error unless
/// the prediction has a row for each sample.
template <class T> Tensor<T> predict(Trainer<T>& trainer, const Dataset<T>& data, std::int64_t batch = 32) {
  const Shape& shape = trainer.graph(Mode::inference).prediction.shape();
  bool by_rows = shape.rank() > 0 && shape[0] == B;
  for (std::size_t axis = 1; axis < shape.rank(); ++axis) by_rows = by_rows && shape[axis].is_constant();
  if (!by_rows)
    throw Error("predict: the model's prediction has shape " + to_string(shape) +
                ", which is no row for each sample; call Trainer::predict, which returns all numbers");
  Tensor<T> predictions(detail::shape_of(shape.resolve(data.count())));
  std::ranges::copy(trainer.predict(data, batch), predictions.data());
  return predictions;
}

/// The same for a tensor for each of the model's inputs, in order, checked as make_dataset does.
template <class T, TensorExpression... E>
requires(sizeof...(E) > 0) Tensor<T> predict(Trainer<T>& trainer, E&&... inputs) {
  return predict(trainer, make_dataset(trainer, std::forward<E>(inputs)...));
}

}  // namespace gradus
