#include "gradus/data/tensor_bytes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

namespace gradus {

static_assert(std::endian::native == std::endian::little,
              "tensors are read and written as they lie in memory");

namespace {

struct Boolean {
  std::uint8_t byte;
  operator float() const { return byte != 0 ? 1 : 0; }
};

struct Half {
  std::uint16_t bits;
  operator float() const {
    const auto exponent = static_cast<int>(bits >> 10U & 0x1FU);
    const auto fraction = static_cast<int>(bits & 0x3FFU);
    const float sign = (bits & 0x8000U) != 0 ? -1.0F : 1.0F;
    if (exponent == 0x1F) return fraction == 0 ? sign * INFINITY : NAN;
    return sign * (exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                 : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25));
  }
};

struct BrainFloat {
  std::uint16_t bits;
  operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16U); }
};

template <class T> using Convert = void (*)(const std::byte* from, std::span<T> into);

template <class From, class T> void convert_from(const std::byte* from, std::span<T> into) {
  if constexpr (std::is_same_v<From, T>) {
    if (!into.empty()) std::memcpy(into.data(), from, into.size_bytes());
  } else {
    for (T& value : into) {
      From element{};
      std::memcpy(&element, from, sizeof element);
      value = static_cast<T>(element);
      from += sizeof element;
    }
  }
}

struct TypeRow {
  std::string_view name;
  std::size_t bytes;
  bool floating;
  Convert<float> to_float;
  Convert<double> to_double;
};

template <class From> constexpr TypeRow row(std::string_view name, bool floating) {
  return {name, sizeof(From), floating, convert_from<From, float>, convert_from<From, double>};
}

// In the order of ElementType.
constexpr std::array<TypeRow, 13> types{
    {row<Boolean>("BOOL", false), row<std::uint8_t>("U8", false), row<std::int8_t>("I8", false),
     row<std::uint16_t>("U16", false), row<std::int16_t>("I16", false), row<Half>("F16", true),
     row<BrainFloat>("BF16", true), row<std::uint32_t>("U32", false), row<std::int32_t>("I32", false),
     row<float>("F32", true), row<std::uint64_t>("U64", false), row<std::int64_t>("I64", false),
     row<double>("F64", true)}};

const TypeRow& row_of(ElementType type) { return types[static_cast<std::size_t>(type)]; }

const std::byte* element(const TensorBytes& tensor, std::size_t number) {
  return tensor.bytes.data() + number * bytes_of(tensor.type);
}

}  // namespace

std::string_view name_of(ElementType type) { return row_of(type).name; }
std::size_t bytes_of(ElementType type) { return row_of(type).bytes; }
bool is_floating(ElementType type) { return row_of(type).floating; }

std::optional<ElementType> element_type_named(std::string_view name) {
  const auto* const found = std::ranges::find(types, name, &TypeRow::name);
  if (found == types.end()) return std::nullopt;
  return static_cast<ElementType>(found - types.begin());
}

std::optional<std::uint64_t> byte_count(const Extents& extents, ElementType type) {
  std::uint64_t count = bytes_of(type);
  for (const std::int64_t extent : extents)
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(extent), &count)) return std::nullopt;
  return count;
}

TensorBytes tensor_bytes(std::string name, Extents extents, std::span<const float> values) {
  return {std::move(name), ElementType::f32, std::move(extents), std::as_bytes(values)};
}
TensorBytes tensor_bytes(std::string name, Extents extents, std::span<const double> values) {
  return {std::move(name), ElementType::f64, std::move(extents), std::as_bytes(values)};
}

void convert(const TensorBytes& tensor, std::size_t first, std::span<float> into) {
  row_of(tensor.type).to_float(element(tensor, first), into);
}
void convert(const TensorBytes& tensor, std::size_t first, std::span<double> into) {
  row_of(tensor.type).to_double(element(tensor, first), into);
}

}  // namespace gradus
