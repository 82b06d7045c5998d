#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "gradus/graph/expr.hpp"
#include "gradus/graph/op.hpp"

namespace GRADUS_PUBLIC gradus {

/// A named attribute of an op, for its `attributes()`: `return std::tuple(attribute("axis", axis));`.
template <class V>
struct Attribute {
  std::string_view name;  ///< in dumps
  V value;                ///< what equality and hash see
};

/// An attribute of this name and value.
template <class V>
Attribute<V> attribute(std::string_view name, V value) {
  return {name, std::move(value)};
}

namespace detail {
std::string text_of(double v);
std::string text_of(std::int64_t v);
std::string text_of(bool v);
}  // namespace detail

/// Makes an op a value: name, equality, hash and text from `Derived`'s static `name` and, if it has any,
/// `auto attributes() const` (a tuple of `attribute("axis", axis)`). Where ONNX has the same op with the same
/// operands, `static constexpr std::string_view onnx` is its name there; else `OnnxSpelling onnx(InputShapes
/// inputs) const` may say it in several.
///
/// Here and below, members are only declared: a program that uses an op compiles nothing of it. The op's own
/// source file includes gradus/framework/graph/op_definitions.hpp, where they are defined.
template <class Derived, class Base = Op>
class ValueOp : public Base {
 public:
  using Base::Base;

  /// The derived class's `name`.
  std::string_view name() const final;
  /// From its attributes.
  std::string attribute_text() const final;
  /// From its `onnx`.
  OnnxSpelling onnx_spelling(InputShapes inputs) const final;
  /// By its attributes.
  bool same_as(const Op& other) const final;
  /// Of its attributes.
  std::size_t hash() const final;

 protected:
  /// This, as what it is.
  const Derived& derived() const { return static_cast<const Derived&>(*this); }
};

/// What most ops derive from: `Derived` adds `template <class T> Kernel<T> make_kernel(const Signature&)
/// const`, or, with the trait `by_rows`, `template <class T> RowKernel<T> make_row_kernel(const Signature&)
/// const`.
template <class Derived>
class OpOf : public ValueOp<Derived> {
 public:
  /// Made by the derived class's `make_kernel`.
  Kernel<float> kernel(const Signature& signature, float tag) const final;
  /// The same in double.
  Kernel<double> kernel(const Signature& signature, double tag) const final;
  RowKernel<float> row_kernel(const Signature& signature, float tag) const final;
  RowKernel<double> row_kernel(const Signature& signature, double tag) const final;
};

}  // namespace gradus
