#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// The numbers that the symbols in shapes stand for. Whatever needs sizes as numbers takes one of these.
struct DimBindings {
  DimBindings() = default;
  /// Binds the batch size.
  DimBindings(std::int64_t batch_size) : batch(batch_size) {}  // NOLINT(google-explicit-constructor)

  std::int64_t batch = 1;  ///< what B stands for
};

/// One extent of a shape: a·B + c, where B is the batch size, the only symbol there is.
///
/// B is known only when a graph is compiled; until then `[B, 4]` flattens to `[4B]`, and a row put on top of
/// a batch gives `[B+1]`. What has no such form (B·B, B/2) is an Error. B is never taken for 1 when shapes
/// are broadcast.
class Dim {
 public:
  constexpr Dim() = default;
  /// A number.
  template <std::integral I> constexpr Dim(I constant) : constant_(static_cast<std::int64_t>(constant)) {}
  /// Per_batch · B + constant.
  constexpr Dim(std::int64_t per_batch, std::int64_t constant) : per_batch_(per_batch), constant_(constant) {}

  /// The factor of B.
  constexpr std::int64_t per_batch() const { return per_batch_; }
  /// The number that is added.
  constexpr std::int64_t constant() const { return constant_; }
  /// Whether B does not occur.
  constexpr bool is_constant() const { return per_batch_ == 0; }

  /// The number that it stands for. Error when that is not at least `minimum`, or beyond 64 bits.
  std::int64_t resolve(const DimBindings& dims, std::int64_t minimum = 1) const;

  /// Exact: equal for every B.
  friend constexpr bool operator==(Dim, Dim) = default;
  /// The sum. Error beyond 64 bits, as for all of these.
  friend constexpr Dim operator+(Dim x, Dim y) {
    Dim sum;
    if (__builtin_add_overflow(x.per_batch_, y.per_batch_, &sum.per_batch_) ||
        __builtin_add_overflow(x.constant_, y.constant_, &sum.constant_))
      fail_too_large(x, "+", y);
    return sum;
  }
  /// The difference.
  friend constexpr Dim operator-(Dim x, Dim y) {
    Dim difference;
    if (__builtin_sub_overflow(x.per_batch_, y.per_batch_, &difference.per_batch_) ||
        __builtin_sub_overflow(x.constant_, y.constant_, &difference.constant_))
      fail_too_large(x, "-", y);
    return difference;
  }
  /// Error for B·B, too.
  friend Dim operator*(Dim x, Dim y);
  /// Exact division only; Error for what has no form a·B + c.
  friend Dim operator/(Dim x, Dim y);

 private:
  [[noreturn]] static void fail_too_large(Dim x, const char* sign, Dim y);

  std::int64_t per_batch_ = 0;
  std::int64_t constant_ = 0;
};

/// Products and quotients of extents; Error for what has no form a·B + c. It names the extents alone: an
/// operator cannot know the line, and an extent has no graph. (Declared here, too, so that they are
/// exported.)
Dim operator*(Dim x, Dim y);
Dim operator/(Dim x, Dim y);

/// The batch size, as in `g.input("x", {B, 784})`.
inline constexpr Dim B{1, 0};

/// "B", "2B+1", "784".
std::string to_string(Dim dim);

/// The extent's hash.
inline std::size_t hash_value(Dim d) {
  return static_cast<std::size_t>(d.per_batch()) * 0x9E3779B97F4A7C15U ^
         static_cast<std::size_t>(d.constant());
}

}  // namespace gradus
