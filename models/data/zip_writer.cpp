#include "gradus/data/zip_writer.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "gradus/base/error.hpp"
#include "models/data/little_endian.hpp"
#include "models/data/utf8.hpp"
#include "models/data/zip_format.hpp"

namespace gradus {

namespace {

using namespace zip;

constexpr std::uint16_t version = 45;        // which has zip64
constexpr std::uint16_t first_day = 0x21;    // 1980-01-01: the same contents are the same bytes
constexpr std::uint64_t most = in_zip64_32;  // from here on a number is in the zip64 extra

// Raw deflate of the pieces together.
std::string deflated_bytes(const std::vector<std::string_view>& pieces) {
  z_stream stream{};
  constexpr int raw_window = -15;
  constexpr int memory_level = 8;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, raw_window, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> owner(&stream, &deflateEnd);
  std::string packed;
  std::vector<char> buffer(std::size_t{1} << 16U);
  const auto run = [&](int flush) {
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream.avail_out = static_cast<uInt>(buffer.size());
      deflate(&stream, flush);
      packed.append(buffer.data(), buffer.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  };
  for (std::string_view piece : pieces)
    while (!piece.empty()) {
      const std::string_view part = piece.substr(0, std::size_t{1} << 30U);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
      stream.avail_in = static_cast<uInt>(part.size());
      run(Z_NO_FLUSH);
      piece.remove_prefix(part.size());
    }
  run(Z_FINISH);
  return packed;
}

// A zip64 extra of those numbers that do not fit their 32 bits.
std::string zip64_of(std::initializer_list<std::uint64_t> numbers, bool all) {
  std::string body;
  for (const std::uint64_t number : numbers)
    if (all || number >= most) append_little_endian(body, number, 8);
  if (body.empty()) return {};
  std::string extra;
  append_little_endian(extra, zip64_extra, 2);
  append_little_endian(extra, body.size(), 2);
  return extra + body;
}

std::uint64_t capped(std::uint64_t number) { return std::min(number, most); }

// The fields that the local header and the directory entry have in common: from the version needed to extract
// up to the length of the extra field.
std::string common(const ZipEntry& entry, std::uint64_t packed, std::uint64_t size, std::size_t extra) {
  std::string text;
  append_little_endian(text, version, 2);
  append_little_endian(text, utf8_flag, 2);
  append_little_endian(text, entry.deflated ? deflated : stored, 2);
  append_little_endian(text, 0, 2);
  append_little_endian(text, first_day, 2);
  append_little_endian(text, entry.crc, 4);
  append_little_endian(text, packed, 4);
  append_little_endian(text, size, 4);
  append_little_endian(text, entry.name.size(), 2);
  append_little_endian(text, extra, 2);
  return text;
}

}  // namespace

std::string_view ZipWriter::keep(std::string text) {
  return *kept_.emplace_back(std::make_unique<std::string>(std::move(text)));
}

void ZipWriter::add(std::string name, std::vector<std::string_view> pieces, bool deflate) {
  if (!names_.insert(name).second) throw Error(fmt::format("the name '{}' is given twice", name));
  if (!is_utf8(name) || name.size() >= in_zip64_16)
    throw Error(fmt::format("the name '{}' is no UTF-8 text of less than 2^16 bytes", name));
  ZipEntry entry{std::move(name), deflate, 0, 0, {}};
  uLong crc = 0;
  for (const std::string_view piece : pieces) {
    // Given no data, zlib would return the initial value again.
    if (!piece.empty()) crc = crc32_z(crc, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
    entry.size += piece.size();
  }
  entry.crc = static_cast<std::uint32_t>(crc);
  if (deflate) pieces = {keep(deflated_bytes(pieces))};
  std::uint64_t packed = 0;
  for (const std::string_view piece : pieces) packed += piece.size();

  offsets_.push_back(size_);
  // In a local header both sizes are in the extra or none.
  const bool wide = std::max(packed, entry.size) >= most;
  const std::string extra = wide ? zip64_of({entry.size, packed}, true) : "";
  const std::string_view header =
      keep(std::string(local_signature) +
           common(entry, wide ? most : packed, wide ? most : entry.size, extra.size()) + entry.name + extra);
  pieces_.push_back(header);
  pieces_.insert(pieces_.end(), pieces.begin(), pieces.end());
  size_ += header.size() + packed;
  packed_.push_back(packed);
  entries_.push_back(std::move(entry));
}

std::vector<std::string_view> ZipWriter::finish() {
  std::string text;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const ZipEntry& entry = entries_[i];
    const std::string extra = zip64_of({entry.size, packed_[i], offsets_[i]}, false);
    text += entry_signature;
    append_little_endian(text, version, 2);
    text += common(entry, capped(packed_[i]), capped(entry.size), extra.size());
    text.append(2 + 2 + 2 + 4, '\0');  // no comment, part 0, no attributes
    append_little_endian(text, capped(offsets_[i]), 4);
    text += entry.name + extra;
  }
  const std::uint64_t directory = text.size();
  const std::uint64_t count = entries_.size();
  if (std::max(directory, size_) >= most || count >= in_zip64_16) {
    text += end64_signature;
    append_little_endian(text, end64_size - 12, 8);
    append_little_endian(text, version, 2);
    append_little_endian(text, version, 2);
    append_little_endian(text, 0, 8);
    for (const std::uint64_t number : {count, count, directory, size_}) append_little_endian(text, number, 8);
    text += locator_signature;
    append_little_endian(text, 0, 4);
    append_little_endian(text, size_ + directory, 8);
    append_little_endian(text, 1, 4);
  }
  text += end_signature;
  append_little_endian(text, 0, 4);
  for (int i = 0; i < 2; ++i) append_little_endian(text, std::min<std::uint64_t>(count, in_zip64_16), 2);
  append_little_endian(text, capped(directory), 4);
  append_little_endian(text, capped(size_), 4);
  append_little_endian(text, 0, 2);
  pieces_.push_back(keep(std::move(text)));
  return std::move(pieces_);
}

}  // namespace gradus
