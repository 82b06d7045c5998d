#include "gradus/data/idx.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "gradus/base/error.hpp"
#include "models/data/file_writing.hpp"

namespace gradus {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 16;
constexpr std::uint64_t kMaxDeflateRatio = 1032;  // 258 bytes from 2 bits: zlib.net/zlib_tech.html
constexpr std::string_view kFetchAgain = "the file is damaged or incomplete: fetch it again";

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view place, std::string_view what) {
  throw Error(fmt::format("IDX file '{}', {}: {}", path.string(), place, what));
}

/// "60000 x 28 x 28".
std::string product_text(const std::vector<std::int64_t>& extents) {
  std::string text;
  for (const std::int64_t extent : extents) text += (text.empty() ? "" : " x ") + std::to_string(extent);
  return text;
}

/// "60000 x 28 x 28", and "60000 x 28 x 28 x 4 bytes each" of wider elements.
std::string bytes_text(const IdxFile& idx) {
  const std::size_t each = bytes_of(idx.type);
  return product_text(idx.extents) + (each == 1 ? "" : fmt::format(" x {} bytes each", each));
}

std::string at_byte(std::uint64_t offset) { return fmt::format("byte {}", offset); }

bool is_gzip(std::span<const std::uint8_t> start) {
  return start.size() >= 2 && start[0] == 0x1F && start[1] == 0x8B;
}

/// The bytes of a file, uncompressed if it is a gzip file.
class ByteSource {
 public:
  explicit ByteSource(const std::filesystem::path& path) : path_(path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found)
      fail(path, "opening it", "there is no such file; check the path");
    if (std::filesystem::is_directory(status))
      fail(path, "opening it", "expected a file, found a directory; name the file inside it");
    if (!std::filesystem::is_regular_file(status))
      fail(path, "opening it",
           error ? error.message() : "expected a regular file; copy the contents to one and name that");
    file_size_ = std::filesystem::file_size(path, error);
    file_ = OpenFile(open_file(path, O_RDONLY | O_NONBLOCK));
    if (error || !file_.is_open())
      fail(path, "opening it",
           fmt::format("{}; check that you may read it",
                       error ? error.message() : std::generic_category().message(errno)));
    buffer_.resize(std::clamp<std::uint64_t>(file_size_, 1, kChunk));
    refill();
    compressed_ = is_gzip(input());
    constexpr int gzip_window = 15 + 16;  // the largest window; a gzip header and nothing else
    if (compressed_ && inflateInit2(&stream_, gzip_window) != Z_OK) throw std::bad_alloc();
  }
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ~ByteSource() {
    if (compressed_) inflateEnd(&stream_);
  }

  const std::filesystem::path& path() const { return path_; }
  bool compressed() const { return compressed_; }
  /// Bytes read so far, uncompressed.
  std::uint64_t offset() const { return offset_; }
  /// No more bytes than these are left; exact for a plain file.
  std::uint64_t at_most() const {
    return compressed_ ? file_size_ * kMaxDeflateRatio : file_size_ - std::min(file_size_, offset_);
  }

  /// Fills `out` as far as the file goes; how many bytes that were. At the end a gzip file's checksum is
  /// right.
  std::size_t read(std::span<std::uint8_t> out) {
    std::size_t count = 0;
    while (count < out.size()) {
      const std::size_t step = compressed_ ? inflate_some(out.subspan(count)) : copy_some(out.subspan(count));
      if (step == 0) break;
      count += step;
      offset_ += step;
    }
    return count;
  }

 private:
  std::span<std::uint8_t> input() { return std::span(buffer_).subspan(begin_, end_ - begin_); }

  /// False at the end of the file.
  bool refill() {
    if (begin_ < end_) return true;
    ssize_t count = 0;
    do count = ::read(file_.get(), buffer_.data(), buffer_.size());
    while (count < 0 && errno == EINTR);
    if (count < 0)
      fail(path_, fmt::format("byte {} of the file", file_offset_),
           fmt::format("it cannot be read: {}", std::generic_category().message(errno)));
    begin_ = 0;
    end_ = static_cast<std::size_t>(count);
    return end_ > 0;
  }

  void consume(std::size_t count) {
    begin_ += count;
    file_offset_ += count;
  }

  std::size_t copy_some(std::span<std::uint8_t> out) {
    if (!refill()) return 0;
    const std::size_t count = std::min(out.size(), input().size());
    std::ranges::copy(input().first(count), out.begin());
    consume(count);
    return count;
  }

  /// 0 only at the end of the last gzip member.
  std::size_t inflate_some(std::span<std::uint8_t> out) {
    const auto space = static_cast<uInt>(std::min<std::size_t>(out.size(), kChunk));
    stream_.next_out = out.data();
    stream_.avail_out = space;
    while (stream_.avail_out == space) {
      if (!refill()) {
        if (member_ended_) return 0;
        fail_compressed(fmt::format("the gzip stream ends early, after {} bytes of contents", offset_));
      }
      if (member_ended_) next_member();
      stream_.next_in = input().data();
      stream_.avail_in = static_cast<uInt>(input().size());
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      consume(input().size() - stream_.avail_in);
      if (status == Z_STREAM_END)
        member_ended_ = true;
      else if (status != Z_OK)
        fail_compressed(fmt::format("the gzip stream is corrupt ({})",
                                    stream_.msg != nullptr ? stream_.msg : zError(status)));
    }
    return space - stream_.avail_out;
  }

  /// RFC 1952 lets gzip members follow each other; nothing else may.
  void next_member() {
    if (input()[0] != 0x1F)
      fail(path_, fmt::format("byte {} of the compressed file", file_offset_),
           fmt::format("the gzip stream has ended, expected no trailing bytes; {}", kFetchAgain));
    inflateReset(&stream_);
    member_ended_ = false;
  }

  [[noreturn]] void fail_compressed(std::string_view what) {
    fail(path_, fmt::format("byte {} of the compressed file", file_offset_),
         fmt::format("{}; {}", what, kFetchAgain));
  }

  std::filesystem::path path_;
  OpenFile file_;
  std::uint64_t file_size_ = 0;
  std::uint64_t file_offset_ = 0;  // of the file itself: what was consumed from buffer_
  std::uint64_t offset_ = 0;       // of the contents
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool compressed_ = false;
  bool member_ended_ = false;
  z_stream stream_{};
};

/// The remedy for a file that is no IDX file, by its first bytes: some kinds of files are often taken for
/// one.
std::string_view remedy_for(std::span<const std::uint8_t> start) {
  if (start[0] == '<') return "this looks like a web page: fetch the file itself";
  if (start[0] == 'P' && start[1] == 'K') return "this is a zip archive: unpack it";
  if (is_gzip(start)) return "this is compressed twice: run gunzip once";
  return "check that this is an IDX file, such as train-images-idx3-ubyte";
}

struct TypeCode {
  std::uint8_t code;
  ElementType type;
};
constexpr std::array<TypeCode, 6> type_codes{{{0x08, ElementType::u8},
                                              {0x09, ElementType::i8},
                                              {0x0B, ElementType::i16},
                                              {0x0C, ElementType::i32},
                                              {0x0D, ElementType::f32},
                                              {0x0E, ElementType::f64}}};

/// Reads the whole of `out`, a part of the header; Error where the file ends inside it.
void read_header(ByteSource& source, std::span<std::uint8_t> out, std::string_view field) {
  const std::uint64_t start = source.offset();
  const std::size_t count = source.read(out);
  if (count == out.size()) return;
  fail(source.path(), fmt::format("{} ({})", at_byte(start), field),
       fmt::format("expected {} bytes, but the file ends after {}; {}", out.size(), count, kFetchAgain));
}

/// The type and the extents; there are no values yet.
IdxFile read_header(ByteSource& source) {
  std::array<std::uint8_t, 4> magic{};
  read_header(source, magic, "magic number");
  if (magic[0] != 0 || magic[1] != 0)
    fail(source.path(), "byte 0 (magic number)",
         fmt::format("expected 00 00 08 and the rank, found {:02x} {:02x} {:02x} {:02x}; {}", magic[0],
                     magic[1], magic[2], magic[3], remedy_for(magic)));
  const auto* const found = std::ranges::find(type_codes, magic[2], &TypeCode::code);
  if (found == type_codes.end())
    fail(
        source.path(), "byte 2 (element type)",
        fmt::format("expected one of 0x08, 0x09, 0x0b, 0x0c, 0x0d and 0x0e, found 0x{:02x} (no IDX type); {}",
                    magic[2], remedy_for(magic)));
  if (magic[3] == 0)
    fail(source.path(), "byte 3 (rank)", "expected at least 1, found 0; check that this is an IDX file");

  IdxFile idx{{}, {}, found->type};
  for (int axis = 0; axis < magic[3]; ++axis) {
    std::array<std::uint8_t, 4> bytes{};
    read_header(source, bytes, fmt::format("extent {} of {}", axis, magic[3]));
    std::int64_t extent = 0;
    for (const std::uint8_t byte : bytes) extent = extent << 8 | byte;
    idx.extents.push_back(extent);
  }
  return idx;
}

/// How many bytes the values have; Error when that is not representable or the file cannot hold as many.
std::uint64_t count_bytes(const ByteSource& source, const IdxFile& idx) {
  const std::vector<std::int64_t>& extents = idx.extents;
  constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::int64_t count = std::ranges::count(extents, 0) > 0 ? 0 : static_cast<std::int64_t>(bytes_of(idx.type));
  for (const std::int64_t extent : extents) {
    if (count > 0 && extent > max / count)
      fail(source.path(), "byte 4 (extents)",
           fmt::format("expected a product below 2^63, found {}; {}", product_text(extents), kFetchAgain));
    count *= extent;
  }
  const auto values = static_cast<std::uint64_t>(count);
  if (values > source.at_most())
    fail(source.path(), fmt::format("{} (data)", at_byte(source.offset())),
         fmt::format("expected {} = {} bytes, but the file {} {}; {}", bytes_text(idx), values,
                     source.compressed() ? "cannot hold more than" : "holds", source.at_most(), kFetchAgain));
  return values;
}

}  // namespace

IdxFile read_idx(const std::filesystem::path& path) {
  ByteSource source(path);
  IdxFile idx = read_header(source);
  const std::uint64_t count = count_bytes(source, idx);
  const std::uint64_t data_start = source.offset();
  if (!source.compressed()) idx.values.reserve(count);  // known to be there

  std::vector<std::uint8_t> chunk(std::clamp<std::uint64_t>(count, 1, kChunk));
  while (idx.values.size() < count) {
    const std::size_t wanted = std::min<std::uint64_t>(chunk.size(), count - idx.values.size());
    const std::size_t got = source.read(std::span(chunk).first(wanted));
    idx.values.insert(idx.values.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(got));
    if (got < wanted)
      fail(path, fmt::format("{} (data)", at_byte(data_start)),
           fmt::format("expected {} = {} bytes, but the contents end after {}; {}", bytes_text(idx), count,
                       idx.values.size(), kFetchAgain));
  }
  const std::uint64_t data_end = source.offset();
  if (source.read(std::span(chunk).first(1)) > 0)
    fail(path, at_byte(data_end),
         fmt::format(
             "expected the end, as the extents are {}, found trailing bytes; check that this is an IDX "
             "file, and fetch it again",
             product_text(idx.extents)));
  // From big-endian.
  const auto width = static_cast<std::ptrdiff_t>(bytes_of(idx.type));
  for (auto at = idx.values.begin(); width > 1 && at != idx.values.end(); at += width)
    std::reverse(at, at + width);
  return idx;
}

}  // namespace gradus
