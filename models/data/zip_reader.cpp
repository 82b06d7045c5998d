#include "gradus/data/zip_reader.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "gradus/base/error.hpp"
#include "models/data/utf8.hpp"
#include "models/data/zip_format.hpp"

namespace gradus {

namespace {

using namespace zip;

constexpr std::string_view damaged_archive = "the file is damaged or no zip archive; get or write it again";
constexpr std::uint64_t max_deflate_ratio = 1032;  // 258 bytes from 2 bits: zlib.net/zlib_tech.html

struct Directory {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t entries = 0;
};

class ZipParser {
 public:
  ZipParser(std::string_view archive, std::string_view place) : archive_(archive), place_(place) {}

  std::vector<ZipEntry> parse() {
    const Directory directory = find_directory();
    std::vector<ZipEntry> entries;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  // in the archive, of what is an entry's
    std::unordered_set<std::string_view> names;
    entries.reserve(directory.entries);  // bounded by the directory's size
    std::uint64_t at = directory.begin;
    for (std::uint64_t i = 0; i < directory.entries; ++i)
      entries.push_back(parse_entry(at, directory, ranges));
    if (at != directory.end)
      fail(at, fmt::format("{} bytes of the directory belong to no entry", directory.end - at));
    for (const ZipEntry& entry : entries)
      if (!names.insert(entry.name).second)
        fail(directory.begin, fmt::format("there are two entries '{}'", entry.name));
    std::ranges::sort(ranges);
    for (std::size_t i = 1; i < ranges.size(); ++i)
      if (ranges[i].first < ranges[i - 1].second) fail(ranges[i].first, "two entries overlap here");
    return entries;
  }

 private:
  [[noreturn]] void fail(std::uint64_t byte, std::string_view what,
                         std::string_view remedy = damaged_archive) const {
    throw Error(fmt::format("{}, byte {}: {}; {}", place_, byte, what, remedy));
  }
  [[noreturn]] void fail_entry(const std::string& name, std::string_view what,
                               std::string_view remedy = damaged_archive) const {
    throw Error(fmt::format("{}, entry '{}': {}; {}", place_, name, what, remedy));
  }

  std::uint64_t number(std::uint64_t offset, std::size_t bytes) const {
    return number_at(archive_, offset, bytes);
  }
  bool has(std::uint64_t offset, std::size_t size, std::string_view signature) const {
    return offset <= archive_.size() && archive_.size() - offset >= size &&
           archive_.substr(offset, signature.size()) == signature;
  }

  // The end record is the last thing in the file but for a comment, and for zeros with which something filled
  // up a block.
  std::uint64_t find_end() const {
    if (archive_.size() >= end_size) {
      const std::uint64_t last = archive_.size() - end_size;
      const std::uint64_t first = last > in_zip64_16 ? last - in_zip64_16 : 0;
      for (std::uint64_t at = last + 1; at-- > first;)
        if (has(at, end_size, end_signature) && number(at + 20, 2) <= last - at &&
            archive_.find_first_not_of('\0', at + end_size + number(at + 20, 2)) == std::string_view::npos)
          return at;
    }
    fail(archive_.size(), "the archive's end record is missing, so that the archive is cut off");
  }

  Directory find_directory() const {
    std::uint64_t end = find_end();
    const std::uint64_t record = end;
    if (number(end + 4, 2) != number(end + 6, 2))
      fail(end + 4, "the archive is one part of several", "join them");
    Directory directory{number(end + 16, 4), 0, number(end + 10, 2)};
    std::uint64_t size = number(end + 12, 4);
    if (directory.entries == in_zip64_16 || size == in_zip64_32 || directory.begin == in_zip64_32) {
      if (end < locator_size || !has(end - locator_size, locator_size, locator_signature))
        fail(end, "the zip64 locator is missing");
      const std::uint64_t locator = end - locator_size;
      end = number(locator + 8, 8);
      if (end > locator || locator - end < end64_size || !has(end, end64_size, end64_signature))
        fail(locator, fmt::format("there is no zip64 end record at byte {}", end));
      directory = {number(end + 48, 8), 0, number(end + 32, 8)};
      size = number(end + 40, 8);
    }
    if (directory.begin > end || size != end - directory.begin)
      fail(record, fmt::format("the directory is to have {} bytes from byte {} on, but ends at byte {}", size,
                               directory.begin, end));
    if (directory.entries > size / entry_size)
      fail(record,
           fmt::format("there are to be {} entries in a directory of {} bytes", directory.entries, size));
    directory.end = end;
    return directory;
  }

  ZipEntry parse_entry(std::uint64_t& at, const Directory& directory,
                       std::vector<std::pair<std::uint64_t, std::uint64_t>>& ranges) const {
    const std::uint64_t start = at;
    if (directory.end - at < entry_size || !has(at, entry_size, entry_signature))
      fail(at, "expected an entry of the directory");
    const std::uint64_t name_size = number(at + 28, 2), extra_size = number(at + 30, 2);
    const std::uint64_t whole = entry_size + name_size + extra_size + number(at + 32, 2);
    if (directory.end - at < whole) fail(at, "an entry of the directory goes beyond its end");
    at += whole;

    ZipEntry entry;
    entry.name = archive_.substr(start + entry_size, name_size);
    if (!is_utf8(entry.name)) fail(start + entry_size, "the entry's name is not UTF-8");
    entry.crc = static_cast<std::uint32_t>(number(start + 16, 4));
    entry.size = number(start + 24, 4);
    std::uint64_t packed = number(start + 20, 4), local = number(start + 42, 4);
    read_zip64(entry, archive_.substr(start + entry_size + name_size, extra_size),
               {{&entry.size, &packed, &local}});
    if ((number(start + 8, 2) & encrypted_flag) != 0)
      fail_entry(entry.name, "it is encrypted", "write it without a password");
    const std::uint64_t method = number(start + 10, 2);
    if (method != stored && method != deflated)
      fail_entry(entry.name, fmt::format("it is packed by method {}", method),
                 "store or deflate it, as np.savez and np.savez_compressed do");
    entry.deflated = method == deflated;

    if (local > directory.begin || directory.begin - local < local_size ||
        !has(local, local_size, local_signature))
      fail_entry(entry.name, fmt::format("there is no entry at byte {}", local));
    const std::uint64_t begin = local + local_size + number(local + 26, 2) + number(local + 28, 2);
    if (begin > directory.begin || directory.begin - begin < packed)
      fail_entry(entry.name,
                 fmt::format("its {} bytes from byte {} on are not all in the file", packed, begin));
    if (archive_.substr(local + local_size, number(local + 26, 2)) != entry.name)
      fail_entry(entry.name, fmt::format("it has another name at byte {}", local));
    if (entry.deflated ? entry.size > packed * max_deflate_ratio : entry.size != packed)
      fail_entry(entry.name, fmt::format("{} bytes cannot be packed into {}", entry.size, packed));
    entry.data = archive_.substr(begin, packed);
    ranges.emplace_back(local, begin + packed);
    return entry;
  }

  // Fills those fields that say that their value is in the zip64 extra.
  void read_zip64(const ZipEntry& entry, std::string_view extra, std::array<std::uint64_t*, 3> fields) const {
    if (std::ranges::none_of(fields, [](const auto* f) { return *f == in_zip64_32; })) return;
    while (extra.size() >= 4) {
      const std::uint64_t id = number_at(extra, 0, 2), size = number_at(extra, 2, 2);
      extra.remove_prefix(4);
      if (size > extra.size()) break;
      if (id != zip64_extra) {
        extra.remove_prefix(size);
        continue;
      }
      extra = extra.substr(0, size);
      for (std::uint64_t* field : fields) {
        if (*field != in_zip64_32) continue;
        if (extra.size() < 8) fail_entry(entry.name, "its zip64 sizes are cut off");
        *field = number_at(extra, 0, 8);
        extra.remove_prefix(8);
      }
      return;
    }
    fail_entry(entry.name, "its zip64 sizes are missing");
  }

  std::string_view archive_;
  std::string_view place_;
};

void check_sum(const ZipEntry& entry, std::string_view place, std::uint64_t sum) {
  if (sum != entry.crc)
    throw Error(fmt::format("{}, entry '{}': its checksum is {:08x}, not {:08x}; {}", place, entry.name, sum,
                            entry.crc, damaged_archive));
}

}  // namespace

std::vector<ZipEntry> parse_zip(std::string_view archive, std::string_view place) {
  return ZipParser(archive, place).parse();
}

void check_stored(const ZipEntry& entry, std::string_view place) {
  check_sum(entry, place, crc32_z(0, reinterpret_cast<const Bytef*>(entry.data.data()), entry.data.size()));
}

struct ZipStream::Inflater {
  explicit Inflater(std::string_view packed) : rest(packed) {}

  // As much as there is room for; zlib's status, and how much that was.
  std::pair<int, std::size_t> run(std::span<std::byte> into) {
    constexpr std::size_t most = std::size_t{1} << 30U;  // zlib counts in 32 bits
    if (stream.avail_in == 0) {
      const std::string_view piece = rest.substr(0, most);
      rest.remove_prefix(piece.size());
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
      stream.avail_in = static_cast<uInt>(piece.size());
    }
    const auto space = static_cast<uInt>(std::min(most, into.size()));
    stream.next_out = reinterpret_cast<Bytef*>(into.data());
    stream.avail_out = space;
    const int status = ended ? Z_STREAM_END : inflate(&stream, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    ended = status == Z_STREAM_END;
    return {status, space - stream.avail_out};
  }

  z_stream stream{};
  std::string_view rest;
  bool ended = false;
};

ZipStream::ZipStream(const ZipEntry& entry, std::string place)
    : entry_(entry), place_(std::move(place)), inflater_(std::make_unique<Inflater>(entry.data)) {
  constexpr int raw_window = -15;
  if (inflateInit2(&inflater_->stream, raw_window) != Z_OK) throw std::bad_alloc();
}
ZipStream::~ZipStream() { inflateEnd(&inflater_->stream); }

void ZipStream::fail(std::string_view what) const {
  throw Error(fmt::format("{}, entry '{}': {}; {}", place_, entry_.name, what, damaged_archive));
}

void ZipStream::read(std::span<std::byte> into) {
  while (!into.empty()) {
    const auto [status, count] = inflater_->run(into);
    crc_ = static_cast<std::uint32_t>(crc32_z(crc_, reinterpret_cast<const Bytef*>(into.data()), count));
    read_ += count;
    into = into.subspan(count);
    if (status != Z_OK && !(status == Z_STREAM_END && into.empty()))
      fail(fmt::format("its deflated stream is {} after {} bytes of contents",
                       status == Z_DATA_ERROR ? "corrupt" : "cut off", read_));
  }
}

void ZipStream::finish() {
  std::byte more{};
  for (int status = Z_OK; status == Z_OK && !inflater_->ended;) {
    std::size_t count = 0;
    std::tie(status, count) = inflater_->run({&more, 1});
    if (count > 0) fail(fmt::format("its contents go on after the {} bytes they are to have", entry_.size));
  }
  if (read_ != entry_.size || !inflater_->ended || inflater_->stream.avail_in > 0 || !inflater_->rest.empty())
    fail("its deflated stream does not end where it is to");
  check_sum(entry_, place_, crc_);
}

}  // namespace gradus
