#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "gradus/base/error.hpp"
#include "gradus/graph/op.hpp"

/// The base classes of ops, for the source files that define one; programs that use it need its builder
/// alone.
namespace GRADUS_PUBLIC gradus {

/// A named attribute of an op, for its `attributes()`: `return std::tuple(attribute("axis", axis));`.
template <class V> struct Attribute {
  std::string_view name;  ///< in dumps
  V value;                ///< what equality and hash see
};

/// An attribute of this name and value.
template <class V> Attribute<V> attribute(std::string_view name, V value) { return {name, std::move(value)}; }

namespace detail {

// Doubles count as equal when their bits are: NaN attributes merge, 0 and -0 do not.
inline bool same_value(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}
template <class V> bool same_value(const V& a, const V& b) { return a == b; }
inline bool same_value(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(a, b, [](double x, double y) { return same_value(x, y); });
}

inline std::size_t hash_of(double v) { return std::bit_cast<std::uint64_t>(v); }
inline std::size_t hash_of(Dim v) { return hash_value(v); }
inline std::size_t hash_of(const Shape& v) { return hash_value(v); }
template <std::integral I> std::size_t hash_of(I v) { return static_cast<std::size_t>(v); }
template <class V> std::size_t hash_of(const std::vector<V>& values) {
  std::size_t hash = values.size();
  for (const auto& v : values) hash = hash_combine(hash, hash_of(v));
  return hash;
}

std::string text_of(double v);
std::string text_of(std::int64_t v);
std::string text_of(bool v);
inline std::string text_of(Dim v) { return to_string(v); }
inline std::string text_of(const Shape& v) { return to_string(v); }
template <class V> std::string text_of(const std::vector<V>& values) {
  std::string text;
  for (const auto& v : values) text += (text.empty() ? "" : ", ") + text_of(v);
  return "[" + text + "]";
}

template <class Derived> auto attributes_of(const Derived& op) {
  if constexpr (requires { op.attributes(); })
    return op.attributes();
  else
    return std::tuple();
}

inline std::vector<Shape> shapes_of(Shape shape) { return {std::move(shape)}; }
inline std::vector<Shape> shapes_of(std::vector<Shape> shapes) { return shapes; }

// An address that no other type has. Not const: linkers merge constants that look alike.
template <class Derived> inline char type_tag{};

}  // namespace detail

/// Makes an op a value: name, equality, hash and text from `Derived`'s static `name` and, if it has any,
/// `auto attributes() const` (a tuple of `attribute("axis", axis)`). Where ONNX has the same op with the same
/// operands, `static constexpr std::string_view onnx` is its name there; else `OnnxSpelling onnx(InputShapes
/// inputs) const` may say it in several steps.
template <class Derived, class Base = Op> class ValueOp : public Base {
 public:
  std::string_view name() const final { return Derived::name; }
  const void* type_id() const final { return &detail::type_tag<Derived>; }

  std::string attribute_text() const final {
    std::string text;
    for_attributes([&](const auto& a) {
      text += (text.empty() ? "" : ", ") + std::string(a.name) + "=" + detail::text_of(a.value);
    });
    return text;
  }

  OnnxSpelling onnx_spelling(InputShapes inputs) const final {
    if constexpr (requires { derived().onnx(inputs); }) {
      return derived().onnx(inputs);
    } else if constexpr (requires { std::string_view(Derived::onnx); }) {
      OnnxStep step{Derived::onnx};
      for (std::size_t i = 0; i < inputs.size(); ++i) step.operands.emplace_back(OnnxInput{i});
      return {step};
    } else {
      return {};
    }
  }

  bool same_as(const Op& other) const final {
    if (other.type_id() != type_id()) return false;
    const auto mine = detail::attributes_of(derived());
    const auto others = detail::attributes_of(static_cast<const Derived&>(other));
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return (detail::same_value(std::get<I>(mine).value, std::get<I>(others).value) && ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(mine)>>());
  }

  std::size_t hash() const final {
    auto hash = std::bit_cast<std::size_t>(type_id());
    for_attributes([&](const auto& a) { hash = hash_combine(hash, detail::hash_of(a.value)); });
    return hash;
  }

 protected:
  /// This, as what it is.
  const Derived& derived() const { return static_cast<const Derived&>(*this); }

 private:
  template <class Visitor> void for_attributes(Visitor visit) const {
    std::apply([&](const auto&... a) { (visit(a), ...); }, detail::attributes_of(derived()));
  }
};

/// The base class of most ops. `Derived` adds
/// - `Shape infer(InputShapes inputs) const`, or `std::vector<Shape> infer(…)` for several outputs (then its
///   traits say how many), which throws Error with the reason alone;
/// - `std::vector<Expr> vjp(const Vjp& v) const override`;
/// - `template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const`, except for a view;
/// - if it needs scratch memory, `std::size_t workspace_bytes(const KernelShapes&, DType) const override`.
template <class Derived> class OpOf : public ValueOp<Derived> {
 public:
  std::vector<Shape> output_shapes(InputShapes inputs) const final {
    return detail::shapes_of(this->derived().infer(inputs));
  }
  AnyKernel kernel(const KernelShapes& shapes, DType dtype) const final {
    if constexpr (requires { this->derived().template make_kernel<float>(shapes); })
      return with_dtype(
          dtype, [&]<class T>(T) -> AnyKernel { return this->derived().template make_kernel<T>(shapes); });
    else
      return {};
  }
};

/// The op behind an expression if it is of this type, else null: for `canonicalize`, to look into an input.
template <class ConcreteOp> const ConcreteOp* op_as(const Expr& expr) {
  const Op* op = op_of(expr);
  return op != nullptr && op->type_id() == &detail::type_tag<ConcreteOp> ? static_cast<const ConcreteOp*>(op)
                                                                         : nullptr;
}

}  // namespace gradus
