#include "gradus/graph/shape.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "gradus/base/error.hpp"

namespace gradus {

namespace {

// Multiplies the count; whether the product is no more than there can be.
bool grow(std::int64_t& count, std::int64_t extent) {
  return !__builtin_mul_overflow(count, extent, &count) && count <= most_elements;
}

}  // namespace

std::int64_t element_count(std::span<const std::int64_t> extents) {
  std::int64_t count = 1;
  for (const std::int64_t extent : extents)
    if (!grow(count, extent))
      throw Error(
          fmt::format("a tensor of shape {} has more than {} elements", to_string(extents), most_elements));
  return count;
}

bool Shape::is_too_large() const {
  std::int64_t count = 1;
  return !std::ranges::all_of(dims_, [&](Dim dim) {
    return grow(count, std::max<std::int64_t>({1, dim.per_batch(), dim.constant()}));
  });
}

Dim Shape::element_count() const {
  Dim count = 1;
  for (const Dim dim : dims_) count = count * dim;
  return count;
}

bool Shape::is_constant() const { return std::ranges::all_of(dims_, &Dim::is_constant); }

bool Shape::is_empty() const {
  return std::ranges::any_of(dims_, [](Dim dim) { return dim.is_constant() && dim.constant() < 1; });
}

Extents Shape::resolve(const DimBindings& dims) const {
  Extents extents;
  extents.reserve(dims_.size());
  for (const Dim dim : dims_) extents.push_back(dim.resolve(dims));
  return extents;
}

std::size_t resolve_axis(std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank)
    throw Error(fmt::format("there is no axis {} in rank {}", axis, rank));
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

std::string to_string(const Shape& shape) {
  std::vector<std::string> texts;
  for (const Dim dim : shape) texts.push_back(to_string(dim));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string to_string(std::span<const std::int64_t> extents) {
  return fmt::format("[{}]", fmt::join(extents, ", "));
}

std::size_t hash_value(const Shape& shape) {
  std::size_t hash = shape.rank();
  for (const Dim dim : shape) hash = hash_combine(hash, hash_value(dim));
  return hash;
}

}  // namespace gradus
