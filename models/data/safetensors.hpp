#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/framework/graph/shape.hpp"

/// Files of named tensors in the safetensors format (github.com/huggingface/safetensors): 8 bytes of header
/// length, a JSON header, then the tensors' bytes, little-endian.
namespace gradus {

/// What the format knows.
enum class ElementType { boolean, u8, i8, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64 };

/// "F32" and the like.
std::string_view name_of(ElementType type);
std::size_t bytes_of(ElementType type);

/// A tensor's bytes, row-major, wherever they are.
struct TensorBytes {
  std::string name;                     ///< of the tensor
  ElementType type = ElementType::f32;  ///< of an element
  Extents extents;                      ///< its shape
  std::span<const std::byte> bytes;     ///< row-major, little-endian
};

/// A view of floats.
TensorBytes tensor_bytes(std::string name, Extents extents, std::span<const float> values);
/// A view of doubles.
TensorBytes tensor_bytes(std::string name, Extents extents, std::span<const double> values);

/// What a file holds. The tensors look into the file's contents, which live as long as this.
class TensorFile {
 public:
  /// Error, naming the file, the place and the remedy, for what is missing, truncated, no safetensors file,
  /// or inconsistent: a header that is larger than the file or no JSON object, keys given twice, unknown
  /// types, extents that do not fit the bytes, tensors that overlap or leave gaps. Memory is bounded by the
  /// file's size, whatever its header says.
  explicit TensorFile(const std::filesystem::path& path);

  /// The file.
  const std::filesystem::path& path() const { return path_; }
  /// The texts kept with the tensors.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// In the order of their bytes.
  const std::vector<TensorBytes>& tensors() const { return tensors_; }

  /// Null when there is none of this name.
  const TensorBytes* find(std::string_view name) const;
  /// Error when there is none.
  const TensorBytes& at(std::string_view name) const;
  /// The values of an F32 or F64 tensor as doubles; Error for another type or when there is none.
  std::vector<double> values(std::string_view name) const;

 private:
  void parse();
  [[noreturn]] void fail(std::string_view place, std::string_view what) const;

  std::filesystem::path path_;
  std::vector<std::byte> contents_;
  std::map<std::string, std::string> metadata_;
  std::vector<TensorBytes> tensors_;
};

/// Writes the tensors in this order, atomically (see write_atomically). Error for a name given twice, or
/// bytes that do not fit the extents.
void write_tensors(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                   const std::map<std::string, std::string>& metadata = {});

}  // namespace gradus
