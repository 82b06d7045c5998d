#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "gradus/graph/dim.hpp"

namespace GRADUS_PUBLIC gradus {

/// A shape whose batch is known: plain numbers, row-major.
using Extents = std::vector<std::int64_t>;

/// More elements than a tensor can have: beyond it bytes would not fit the address space.
inline constexpr std::int64_t most_elements = std::int64_t{1} << 44;

/// The number of elements: 1 for a scalar. Error for more than `most_elements`.
std::int64_t element_count(std::span<const std::int64_t> extents);

/// The extents of a tensor, outermost first; any of them may hold the batch. `{}` is a scalar.
class Shape {
 public:
  Shape() = default;
  /// A shape of extents written out in braces.
  Shape(std::initializer_list<Dim> dims) : dims_(dims) {}
  /// A shape of these extents.
  explicit Shape(std::vector<Dim> dims) : dims_(std::move(dims)) {}
  /// A shape of plain numbers.
  explicit Shape(const Extents& extents) : dims_(extents.begin(), extents.end()) {}

  /// How many axes it has.
  std::size_t rank() const { return dims_.size(); }
  /// An axis's extent.
  Dim operator[](std::size_t axis) const { return dims_[axis]; }
  /// The same, to be changed.
  Dim& operator[](std::size_t axis) { return dims_[axis]; }
  /// The first axis.
  auto begin() const { return dims_.begin(); }
  /// Past the last axis.
  auto end() const { return dims_.end(); }
  /// The last axis's extent.
  Dim back() const { return dims_.back(); }
  /// Adds an axis behind.
  void push_back(Dim dim) { dims_.push_back(dim); }
  /// All extents.
  const std::vector<Dim>& dims() const { return dims_; }

  /// The product of the extents; Error when two of them hold the batch.
  Dim element_count() const;
  /// True when no extent holds the batch.
  bool is_constant() const;
  /// True when an extent is below 1 whatever the batch.
  bool is_empty() const;
  /// True when it has more than `most_elements` whatever the batch.
  bool is_too_large() const;
  /// The numbers that the extents stand for; Error for one below 1.
  Extents resolve(const DimBindings& dims) const;

  /// Exact: equal for every B.
  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::vector<Dim> dims_;
};

/// An axis counted from the front, -1 being the last; Error when the rank has no such axis.
std::size_t resolve_axis(std::int64_t axis, std::size_t rank);

/// "[B, 784]".
std::string to_string(const Shape& shape);
std::string to_string(std::span<const std::int64_t> extents);

/// The shape's hash.
std::size_t hash_value(const Shape& shape);

/// Mixes a hash into a running one.
constexpr std::size_t hash_combine(std::size_t seed, std::size_t value) {
  return (seed ^ (value + 0x9E3779B97F4A7C15U + (seed << 6U) + (seed >> 2U))) * 0xFF51AFD7ED558CCDU;
}

}  // namespace gradus
