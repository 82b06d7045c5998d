#include "models/data/png.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <new>
#include <string_view>
#include <utility>

#include "gradus/base/error.hpp"

namespace gradus {

namespace {

std::string png_number(std::uint32_t number) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(number >> shift & 0xFFU);
  return bytes;
}

std::string png_chunk(std::string_view type, std::string_view data) {
  std::string checked(type);
  checked += data;
  const auto sum = crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size());
  return png_number(static_cast<std::uint32_t>(data.size())) + checked +
         png_number(static_cast<std::uint32_t>(sum));
}

std::string packed_rows(std::string_view bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string packed(size, '\0');
  if (compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
               static_cast<uLong>(bytes.size())) != Z_OK)
    throw std::bad_alloc();
  packed.resize(size);
  return packed;
}

}  // namespace

std::string png_bytes(std::int64_t height, std::int64_t width, std::int64_t channels,
                      std::span<const std::uint8_t> pixels) {
  constexpr std::int64_t most = 1 << 15;
  if (height < 1 || width < 1 || height > most || width > most || (channels != 1 && channels != 3))
    throw Error(
        fmt::format("PNG: an image of {} x {} pixels and {} channels; 1 to {} each way, and 1 or 3 "
                    "channels, can be written",
                    height, width, channels, most));
  if (std::cmp_not_equal(pixels.size(), height * width * channels))
    throw Error(fmt::format("PNG: an image of {} x {} pixels and {} channels takes {} values; it has {}",
                            height, width, channels, height * width * channels, pixels.size()));
  const auto row = static_cast<std::size_t>(width * channels);
  std::string rows;
  for (std::size_t begin = 0; begin < pixels.size(); begin += row) {
    rows += '\0';  // the row's filter: none
    rows.append(reinterpret_cast<const char*>(pixels.data() + begin), row);
  }
  constexpr char depth = 8;
  const char colour = channels == 1 ? 0 : 2;
  const std::string header = png_number(static_cast<std::uint32_t>(width)) +
                             png_number(static_cast<std::uint32_t>(height)) +
                             std::string{depth, colour, 0, 0, 0};
  return std::string("\x89PNG\r\n\x1A\n") + png_chunk("IHDR", header) + png_chunk("IDAT", packed_rows(rows)) +
         png_chunk("IEND", "");
}

}  // namespace gradus
