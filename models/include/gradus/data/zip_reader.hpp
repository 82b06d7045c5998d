#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/zip_entry.hpp"

namespace GRADUS_PUBLIC gradus {

/// The entries of an archive, in the order of its directory. Error, beginning with `place` and the offset or
/// the entry's name, for what is damaged or ambiguous: entries that overlap or have the same name, sizes that
/// deflate cannot reach, names that are not UTF-8.
std::vector<ZipEntry> parse_zip(std::string_view archive, std::string_view place);

/// Error unless the data of a stored entry have their checksum.
void check_stored(const ZipEntry& entry, std::string_view place);

/// Unpacks a deflated entry piece by piece. Error for a damaged stream, or contents of another size or
/// checksum than the directory has.
class ZipStream {
 public:
  /// The entry must outlive this.
  ZipStream(const ZipEntry& entry, std::string place);
  ~ZipStream();
  ZipStream(const ZipStream&) = delete;
  ZipStream& operator=(const ZipStream&) = delete;

  /// Fills all of it.
  void read(std::span<std::byte> into);
  /// After all has been read: Error unless the stream ends there, and the checksum is right.
  void finish();

 private:
  struct Inflater;
  [[noreturn]] void fail(std::string_view what) const;

  const ZipEntry& entry_;
  std::string place_;
  std::uint64_t read_ = 0;
  std::uint32_t crc_ = 0;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace gradus
