#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "gradus/base/public.hpp"

/// Zip archives, as far as files of arrays need them: stored and deflated entries, zip64; no encryption, no
/// parts. Written with zlib alone because a reader of untrusted files must bound what it allocates by the
/// file's size, and libraries believe the archive's own counts.
namespace GRADUS_PUBLIC gradus {

/// What the directory says of an entry.
struct ZipEntry {
  std::string name;        ///< its path in the archive
  bool deflated = false;   ///< else stored
  std::uint32_t crc = 0;   ///< of the contents
  std::uint64_t size = 0;  ///< of the contents, unpacked
  std::string_view data;   ///< as it lies in the archive
};

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

/// Makes an archive whose contents are not copied unless they are deflated.
class ZipWriter {
 public:
  /// The pieces, one after the other, are the entry's contents; they must outlive this. Error for a name
  /// given twice, not UTF-8, or longer than 2^16 - 1.
  void add(std::string name, std::vector<std::string_view> pieces, bool deflate);
  /// The archive as pieces, for write_atomically. Once.
  std::vector<std::string_view> finish();

 private:
  std::string_view keep(std::string text);

  std::vector<ZipEntry> entries_;  // without data
  std::vector<std::uint64_t> offsets_;
  std::vector<std::uint64_t> packed_;
  std::unordered_set<std::string> names_;
  std::vector<std::string_view> pieces_;
  std::vector<std::unique_ptr<std::string>> kept_;
  std::uint64_t size_ = 0;
};

}  // namespace gradus
