#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gradus/base/public.hpp"

/// Zip archives, as far as files of arrays need them: stored and deflated entries, zip64; no encryption, no
/// parts. Written with zlib alone because a reader of untrusted files must bound what it allocates by the
/// file's size, and libraries believe the archive's own counts.
namespace GRADUS_PUBLIC gradus {

/// An entry of an archive, as the central directory describes it.
struct ZipEntry {
  std::string name;        ///< its path in the archive
  bool deflated = false;   ///< else stored
  std::uint32_t crc = 0;   ///< of the contents
  std::uint64_t size = 0;  ///< of the contents, unpacked
  std::string_view data;   ///< as it lies in the archive
};

}  // namespace gradus
