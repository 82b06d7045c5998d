#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gradus/graph/initializer.hpp"
#include "gradus/graph/op_of.hpp"

namespace GRADUS_PUBLIC gradus {

/// An op without inputs: its value comes from outside the graph, or is a constant.
class Leaf : public Op {
 public:
  explicit Leaf(Shape leaf_shape) : shape(std::move(leaf_shape)) {}

  Shape infer(InputShapes) const final { return shape; }
  std::vector<Expr> vjp(const Vjp&) const final { return {}; }
  // Leaves are never run: the plan gives them a buffer.
  Kernel<float> kernel(const Signature&, float) const final { return {}; }
  Kernel<double> kernel(const Signature&, double) const final { return {}; }

  Shape shape;
};

/// A leaf that is one of its kind: two of the same shape are still two.
class NamedLeaf : public Leaf {
 public:
  NamedLeaf(std::string leaf_name, Shape leaf_shape)
      : Leaf(std::move(leaf_shape)), label(std::move(leaf_name)) {}

  bool same_as(const Op& other) const final { return this == &other; }
  std::size_t hash() const final { return std::hash<const void*>()(this); }
  std::string attribute_text() const final { return {}; }

  std::string label;
};

/// Fed by the caller before a run.
class Input final : public NamedLeaf {
 public:
  using NamedLeaf::NamedLeaf;
  std::string_view name() const override { return "input"; }
};

/// Outlives a run in a Store: a parameter, which optimizers train, or state (optimizer slots, counters).
class Variable final : public NamedLeaf {
 public:
  Variable(std::string leaf_name, Shape leaf_shape, Initializer init, bool is_trainable)
      : NamedLeaf(std::move(leaf_name), std::move(leaf_shape)),
        initializer(std::move(init)),
        trainable(is_trainable) {}
  std::string_view name() const override { return trainable ? "parameter" : "state"; }

  Initializer initializer;
  bool trainable;
};

/// A number in every element. A `Dim` is a number once the batch is known: `mean` divides by one.
class Full final : public ValueOp<Full, Leaf> {
 public:
  static constexpr std::string_view name = "full";
  Full(Shape leaf_shape, double number) : ValueOp(std::move(leaf_shape)), value(number) {}
  Full(Shape leaf_shape, Dim extent) : ValueOp(std::move(leaf_shape)), dim(extent), is_dim(true) {}
  auto attributes() const {
    return std::tuple(attribute("shape", shape), attribute("value", value), attribute("dim", dim),
                      attribute("is_dim", is_dim));
  }
  double resolve(std::int64_t batch) const {
    return is_dim ? static_cast<double>(dim.resolve(batch)) : value;
  }

  double value = 0;
  Dim dim = 0;
  bool is_dim = false;
};

/// A tensor of numbers, kept in double until it is compiled.
class Constant final : public ValueOp<Constant, Leaf> {
 public:
  static constexpr std::string_view name = "constant";
  Constant(const Extents& extents, std::vector<double> numbers)
      : ValueOp(Shape(extents)), values(std::move(numbers)) {}
  auto attributes() const { return std::tuple(attribute("shape", shape), attribute("values", values)); }

  std::vector<double> values;
};

}  // namespace gradus
