#include "models/data/element_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "models/data/number_text.hpp"

namespace gradus {

namespace {

// Rounds to the eleven binary digits of a half, or as many as it has below its smallest exponent.
double half(double number) {
  constexpr int digits = 11, least_exponent = -14;
  if (number == 0 || !std::isfinite(number)) return number;
  const int scale = digits - 1 - std::max(std::ilogb(number), least_exponent);
  return std::ldexp(std::nearbyint(std::ldexp(number, scale)), -scale);
}

template <class T> std::string whole_text(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return fmt::format("{}", value);
}

}  // namespace

double in_type(double number, ElementType type) {
  if (type == ElementType::f32) return static_cast<double>(static_cast<float>(number));
  return type == ElementType::f16 ? half(number) : number;
}

std::string element_text(const TensorBytes& tensor, std::size_t index) {
  const std::byte* const bytes = tensor.bytes.data() + index * bytes_of(tensor.type);
  if (tensor.type == ElementType::i64) return whole_text<std::int64_t>(bytes);
  if (tensor.type == ElementType::u64) return whole_text<std::uint64_t>(bytes);
  double value = 0;
  convert(tensor, index, {&value, 1});
  if (tensor.type == ElementType::f32) return fmt::format("{}", static_cast<float>(value));
  if (tensor.type == ElementType::f16)
    for (int digits = 1; digits <= 5; ++digits) {
      std::string text = fmt::format("{:.{}g}", value, digits);
      if (in_type(number_of(text).value_or(NAN), tensor.type) == value) return text;
    }
  return fmt::format("{}", value);
}

}  // namespace gradus
