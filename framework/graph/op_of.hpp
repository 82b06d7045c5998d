#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "gradus/framework/graph/expr.hpp"
#include "gradus/framework/graph/op.hpp"

namespace gradus {

/// A named attribute of an op, for its `attributes()`: `return std::tuple(attribute("axis", axis));`.
template <class V>
struct Attribute {
  std::string_view name;
  V value;
};

template <class V>
Attribute<V> attribute(std::string_view name, V value) {
  return {name, std::move(value)};
}

namespace detail {

// Doubles count as equal when their bits are: NaN attributes merge, 0 and -0 do not.
inline bool same_value(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}
template <class V>
bool same_value(const V& a, const V& b) {
  return a == b;
}
inline bool same_value(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(a, b, [](double x, double y) { return same_value(x, y); });
}

inline std::size_t hash_of(double v) { return std::bit_cast<std::uint64_t>(v); }
inline std::size_t hash_of(Dim v) { return hash_value(v); }
inline std::size_t hash_of(const Shape& v) { return hash_value(v); }
template <std::integral I>
std::size_t hash_of(I v) {
  return static_cast<std::size_t>(v);
}
template <class V>
std::size_t hash_of(const std::vector<V>& values) {
  std::size_t hash = values.size();
  for (const auto& v : values) hash = hash_combine(hash, hash_of(v));
  return hash;
}

std::string text_of(double v);
std::string text_of(std::int64_t v);
std::string text_of(bool v);
inline std::string text_of(Dim v) { return to_string(v); }
inline std::string text_of(const Shape& v) { return to_string(v); }
template <class V>
std::string text_of(const std::vector<V>& values) {
  std::string text;
  for (const auto& v : values) text += (text.empty() ? "" : ", ") + text_of(v);
  return "[" + text + "]";
}

}  // namespace detail

/// Makes an op a value: name, equality, hash and text from `Derived`'s static `name` and, if it has any,
/// `auto attributes() const` (a tuple of `attribute("axis", axis)`).
template <class Derived, class Base = Op>
class ValueOp : public Base {
 public:
  using Base::Base;

  std::string_view name() const final { return Derived::name; }

  std::string attribute_text() const final {
    std::string text;
    visit_attributes([&](const auto& a) {
      text += (text.empty() ? "" : ", ") + std::string(a.name) + "=" + detail::text_of(a.value);
    });
    return text;
  }

  bool same_as(const Op& other) const final {
    if (typeid(Derived) != typeid(other)) return false;
    if constexpr (has_attributes())
      return same_tuple(derived().attributes(), static_cast<const Derived&>(other).attributes());
    else
      return true;
  }

  std::size_t hash() const final {
    std::size_t hash = typeid(Derived).hash_code();
    visit_attributes([&](const auto& a) { hash = hash_combine(hash, detail::hash_of(a.value)); });
    return hash;
  }

 protected:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }

 private:
  static consteval bool has_attributes() {
    return requires(const Derived& d) { d.attributes(); };
  }

  template <class Visitor>
  void visit_attributes(Visitor visit) const {
    if constexpr (has_attributes())
      std::apply([&](const auto&... a) { (visit(a), ...); }, derived().attributes());
    else
      (void)visit;
  }

  template <class... V>
  static bool same_tuple(const std::tuple<Attribute<V>...>& a, const std::tuple<Attribute<V>...>& b) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return (detail::same_value(std::get<I>(a).value, std::get<I>(b).value) && ...);
    }
    (std::index_sequence_for<V...>());
  }
};

/// What most ops derive from: `Derived` adds `template <class T> Kernel<T> make_kernel(const Signature&)
/// const`.
template <class Derived>
class OpOf : public ValueOp<Derived> {
 public:
  // Defined in gradus/framework/graph/op_kernels.hpp, so that a program that only uses the op compiles no
  // kernel: the op's own object file does, with the library's flags ("used" keeps them there).
  [[gnu::used]] Kernel<float> kernel(const Signature& signature, float tag) const final;
  [[gnu::used]] Kernel<double> kernel(const Signature& signature, double tag) const final;
};

}  // namespace gradus
