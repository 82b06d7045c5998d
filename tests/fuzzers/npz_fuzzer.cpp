// Fuzzes NpzFile: whatever bytes a file holds, they are arrays by name that are written the same again, or
// are refused with gradus::Error. Mutations of an archive fail its checksums and get nowhere near the arrays,
// so each input is packed into an archive, too. LENGTH is 1024; how to run it is in support.hpp.
#include <string>
#include <vector>

#include "gradus/data/npy.hpp"
#include "gradus/data/npz.hpp"
#include "gradus/data/zip_writer.hpp"
#include "support.hpp"

namespace gradus::fuzz {
namespace {

constexpr std::string_view place = "NPZ file 'f'";

std::string joined(const std::vector<std::string_view>& pieces) {
  std::string all;
  for (const std::string_view piece : pieces) all += piece;
  return all;
}

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The arrays, if all are good.
std::optional<std::vector<Array>> arrays_of(std::string_view file) {
  return read(
      [&] {
        const NpzFile archive(file, "f");
        std::vector<Array> arrays;
        for (const std::string& name : archive.names()) {
          arrays.push_back(archive.read(name));
          require(arrays.back().tensor.name == name, "an array has another name");
          check(arrays.back().tensor);
        }
        return arrays;
      },
      place);
}

void fuzz_archive(std::string_view file, bool deflate) {
  const auto arrays = arrays_of(file);
  if (!arrays) return;
  ZipWriter writer;
  std::vector<std::string> headers;
  headers.reserve(arrays->size());
  for (const auto& [tensor, owner] : *arrays) {
    if (tensor.extents.size() > 64) return;  // more than NumPy writes
    headers.push_back(npy_header(tensor));
    writer.add(tensor.name + ".npy", {headers.back(), text(tensor.bytes)}, deflate);
  }
  const std::string written = joined(writer.finish());
  const auto again = arrays_of(written);
  require(again && again->size() == arrays->size(), "an archive is refused when it is written again");
  for (std::size_t i = 0; i < arrays->size(); ++i)
    require(same((*again)[i].tensor, (*arrays)[i].tensor),
            "an array is not the same when it is written again");
}

void fuzz_entry(std::string_view content, bool deflate) {
  ZipWriter writer;
  writer.add("a.npy", {content}, deflate);
  const std::string file = joined(writer.finish());
  const auto expected = read([&] { return parse_npy(content, "place"); }, "place");
  const auto found = arrays_of(file);
  require(found.has_value() == expected.has_value(), "an entry is not refused for what it is");
  if (found) require(same(found->at(0).tensor, expected->tensor), "an entry is not read for what it is");
}

}  // namespace
}  // namespace gradus::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const bool deflate = size % 16 == 0;  // zlib's start is by far the slowest part
  gradus::fuzz::fuzz_archive(file, deflate);
  gradus::fuzz::fuzz_entry(file, deflate);
  return 0;
}
