#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/data/tensor_bytes.hpp"

/// Files of named tensors in the safetensors format (github.com/huggingface/safetensors): 8 bytes of header
/// length, a JSON header, then the tensors' bytes, little-endian.
namespace GRADUS_PUBLIC gradus {

/// The contents of a file.
struct SafetensorsContents {
  std::vector<TensorBytes> tensors;                ///< views of the contents, in the order of their bytes
  std::map<std::string, std::string> metadata;     ///< the texts kept with them
  std::map<std::string, std::string> unsupported;  ///< why tensors cannot be read, by their names: F8, C64, …
};

/// Parses the contents of a file. A tensor of a type that there is not here is no error: it is one for who
/// asks for it. Error, naming the file, the place and the remedy, for contents that are truncated, no
/// safetensors file, or inconsistent: a header that is larger than the file or no JSON object, keys given
/// twice, what is no type, extents that do not fit the bytes, tensors that overlap or leave gaps.
SafetensorsContents parse_safetensors(std::string_view contents, const std::filesystem::path& path);

/// The header: the bytes of a file that precede those of the tensors. Error for a name given twice, or bytes
/// that do not fit the extents.
std::string safetensors_header(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                               const std::map<std::string, std::string>& metadata);
/// Writes the tensors in this order, atomically (see write_atomically).
void write_safetensors(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// The key of the metadata in the header. No tensor can have this name.
constexpr std::string_view metadata_key = "__metadata__";
/// Metadata as JSON; Error for what is no UTF-8 text.
std::string metadata_text(const std::filesystem::path& path,
                          const std::map<std::string, std::string>& metadata);

}  // namespace gradus
