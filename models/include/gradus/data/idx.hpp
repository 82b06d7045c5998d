#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// The contents of an IDX file of unsigned bytes.
struct IdxFile {
  std::vector<std::int64_t> extents;  ///< outermost first; as many as the rank
  std::vector<std::uint8_t> values;   ///< row-major, as many as the product of the extents
};

/// Reads an IDX file, plain or gzip-compressed; which of both is told by the contents, not by the name.
///
/// The format: two zero bytes, the element type (8, unsigned byte, is the only one supported), the rank (at
/// least 1), each extent as a big-endian 32-bit number, then the values, and nothing after them. Memory is
/// bounded by what the file really holds, whatever its header says.
///
/// Error when the file is missing, not a regular file or unreadable; not an IDX file; of another element
/// type; shorter or longer than its header says; or a damaged gzip stream. It names the file, the place in it
/// (offsets of a compressed file are those of the uncompressed contents unless it says otherwise) and what
/// was expected.
IdxFile read_idx(const std::filesystem::path& path);

}  // namespace gradus
