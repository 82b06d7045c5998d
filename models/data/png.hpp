#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// An image as the bytes of a PNG file: 8 bits a channel, row by row from the top; 1 channel is grey, 3 are
/// red, green and blue. Error unless there are height · width · channels values.
std::string png_bytes(std::int64_t height, std::int64_t width, std::int64_t channels,
                      std::span<const std::uint8_t> pixels);

}  // namespace gradus
