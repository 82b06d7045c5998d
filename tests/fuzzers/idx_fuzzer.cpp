// Fuzzes read_idx: whatever bytes a file holds, it is read for what it is or refused with gradus::Error, in
// time and memory that its size bounds.
//
// The long run (clang and its fuzzer library: Debian's clang and libclang-rt-14-dev):
//
//   cmake --preset release -B build/fuzz -DCMAKE_CXX_COMPILER=clang++ -DGRADUS_FUZZERS=ON -DGRADUS_WERROR=OFF
//   cmake --build build/fuzz --target idx_fuzzer
//   cd build/fuzz && mkdir -p idx && export ASAN_OPTIONS=quarantine_size_mb=16
//   limits="-max_len=512 -timeout=5 -rss_limit_mb=256 -malloc_limit_mb=64"
//   nice tests/fuzzers/idx_fuzzer $limits -runs=5000000 idx ../../tests/fuzzers/corpus/idx
//
// It stops at the first finding and writes the input to a file, which the program replays when it is given
// its name. What is worth keeping goes into corpus/idx, which idx_replay runs as a test.

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/base/error.hpp"
#include "gradus/data/idx.hpp"

namespace gradus {
namespace {

using Bytes = std::vector<std::uint8_t>;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "finding: %s\n", what);
  std::abort();
}

/// A file in memory that has a path, which is what the reader takes. It leaves nothing behind in a crash.
class MemoryFile {
 public:
  MemoryFile() {
    require(descriptor_ >= 0, "no memory file can be made");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  const std::string& path() const { return path_; }
  void hold(const Bytes& bytes) const {
    const auto size = static_cast<ssize_t>(bytes.size());
    require(ftruncate(descriptor_, size) == 0 && pwrite(descriptor_, bytes.data(), bytes.size(), 0) == size,
            "a memory file cannot be written");
  }

 private:
  int descriptor_ = memfd_create("idx", 0);
  std::string path_;
};

/// The file as read_idx reads it, or nothing if it refuses it.
std::optional<IdxFile> read(const std::string& path) {
  try {
    return read_idx(path);
  } catch (const Error& error) {
    require(std::string_view(error.what()).starts_with("IDX file '" + path + "', "),
            "the message does not name the file");
    return std::nullopt;
  }
}

/// The oracle: what uncompressed bytes hold by the format's definition, if anything.
std::optional<IdxFile> parse(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0 || bytes[3] == 0) return std::nullopt;
  constexpr std::array<std::size_t, 15> widths{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 2, 4, 4, 8};
  constexpr std::array<ElementType, 15> types{{{},
                                               {},
                                               {},
                                               {},
                                               {},
                                               {},
                                               {},
                                               {},
                                               ElementType::u8,
                                               ElementType::i8,
                                               {},
                                               ElementType::i16,
                                               ElementType::i32,
                                               ElementType::f32,
                                               ElementType::f64}};
  const std::size_t width = bytes[2] < widths.size() ? widths[bytes[2]] : 0;
  if (width == 0) return std::nullopt;
  const std::size_t start = 4 + 4 * std::size_t{bytes[3]};
  if (bytes.size() < start) return std::nullopt;
  constexpr std::uint64_t many = std::uint64_t{1}
                                 << 31U;  // more than any input, and its product is no overflow
  IdxFile idx{{}, {}, types[bytes[2]]};
  std::uint64_t count = width;
  for (std::size_t i = 4; i < start; i += 4) {
    const std::uint32_t extent = std::uint32_t{bytes[i]} << 24U | std::uint32_t{bytes[i + 1]} << 16U |
                                 std::uint32_t{bytes[i + 2]} << 8U | bytes[i + 3];
    idx.extents.push_back(extent);
    count = std::min(count * extent, many);
  }
  if (count != bytes.size() - start) return std::nullopt;
  for (std::size_t i = start; i < bytes.size(); i += width)
    for (std::size_t k = width; k-- > 0;) idx.values.push_back(bytes[i + k]);
  return idx;
}

bool same(const std::optional<IdxFile>& a, const std::optional<IdxFile>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->type == b->type && a->extents == b->extents && a->values == b->values;
}

/// The file as zlib's own file reader reads it: all contents up to the first damage.
Bytes unpack(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  require(file != nullptr, "zlib cannot open the file");
  Bytes contents;
  Bytes chunk(std::size_t{1} << 13U);
  for (int got = 1; got > 0; contents.insert(contents.end(), chunk.begin(), chunk.begin() + std::max(got, 0)))
    got = gzread(file.get(), chunk.data(), static_cast<unsigned>(chunk.size()));
  return contents;
}

void append_little_endian(Bytes& bytes, std::uint64_t number, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(number >> 8 * i));
}

/// A gzip file of one stored block. Mutations of a real one fail its checksum and get nowhere near the
/// header.
Bytes pack(const Bytes& contents) {
  Bytes packed = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1};
  append_little_endian(packed, contents.size(), 2);
  append_little_endian(packed, ~contents.size(), 2);
  packed.insert(packed.end(), contents.begin(), contents.end());
  append_little_endian(packed, crc32_z(0, contents.data(), contents.size()), 4);
  append_little_endian(packed, contents.size(), 4);
  return packed;
}

void fuzz(const Bytes& bytes) {
  static const MemoryFile file;
  const std::string& path = file.path();
  file.hold(bytes);
  const std::optional<IdxFile> found = read(path);
  const bool compressed = bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
  if (!compressed)
    require(same(found, parse(bytes)), "a plain file is not read for what it is");
  else if (found)
    require(same(found, parse(unpack(path))), "a compressed file is not read for what it is");

  if (bytes.size() > 0xFFFF) return;  // more than a stored block takes
  file.hold(pack(bytes));
  require(same(read(path), parse(bytes)), "a file is not the same when it is compressed");
}

}  // namespace
}  // namespace gradus

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gradus::fuzz({data, data + size});
  return 0;
}
