#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gradus/graph/shape.hpp"

/// Tensors as files hold them: typed bytes, little-endian and row-major, wherever they are.
namespace GRADUS_PUBLIC gradus {

/// The element types that tensor files can have.
enum class ElementType { boolean, u8, i8, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64 };

/// "F32" and the like, as safetensors spells them.
std::string_view name_of(ElementType type);
/// Nothing when there is no such type.
std::optional<ElementType> element_type_named(std::string_view name);
/// The size of an element in bytes.
std::size_t bytes_of(ElementType type);
/// F16, BF16, F32, F64.
bool is_floating(ElementType type);

/// How many bytes a tensor has; nothing when that is 2^64 or more.
std::optional<std::uint64_t> byte_count(const Extents& extents, ElementType type);

/// A view of a tensor.
struct TensorBytes {
  std::string name;                     ///< empty when it has none
  ElementType type = ElementType::f32;  ///< of an element
  Extents extents;                      ///< its shape
  std::span<const std::byte> bytes;     ///< as many as byte_count

  /// How many elements.
  std::size_t count() const { return bytes.size() / bytes_of(type); }
};

/// A view of floats.
TensorBytes tensor_bytes(std::string name, Extents extents, std::span<const float> values);
/// A view of doubles.
TensorBytes tensor_bytes(std::string name, Extents extents, std::span<const double> values);

/// Converts the elements from number `first` on, as many as there is room for; the bytes need no alignment.
void convert(const TensorBytes& tensor, std::size_t first, std::span<float> into);
/// The same into doubles.
void convert(const TensorBytes& tensor, std::size_t first, std::span<double> into);

}  // namespace gradus
