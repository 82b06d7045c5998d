#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "gradus/data/tensor_bytes.hpp"

namespace GRADUS_PUBLIC gradus {

/// The contents of an IDX file.
struct IdxFile {
  std::vector<std::int64_t> extents;   ///< outermost first; as many as the rank
  std::vector<std::uint8_t> values;    ///< the elements' bytes, row-major and little-endian
  ElementType type = ElementType::u8;  ///< U8, I8, I16, I32, F32 or F64
};

/// Reads an IDX file, plain or gzip-compressed; which of both is told by the contents, not by the name.
///
/// The format: two zero bytes, the element type (8 and 9: unsigned and signed bytes; 11 and 12: integers of
/// 16 and 32 bits; 13 and 14: floating-point numbers of 32 and 64 bits), the rank (at least 1), each extent
/// as a big-endian 32-bit number, then the values, big-endian, and nothing after them. Memory is bounded by
/// what the file really holds, whatever its header says.
///
/// Error when the file is missing, not a regular file or unreadable; not an IDX file; of an element type
/// that there is not; shorter or longer than its header says; or a damaged gzip stream. It names the file,
/// the place in it (offsets of a compressed file are those of the uncompressed contents unless it says
/// otherwise) and what was expected.
IdxFile read_idx(const std::filesystem::path& path);

}  // namespace gradus
