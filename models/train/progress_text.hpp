#pragma once

#include <cstdint>
#include <string>

#include "gradus/base/public.hpp"

/// The words in which progress is told, by a training and by the program alike.
namespace GRADUS_PUBLIC gradus {

/// Goes back to the beginning of a terminal's line and clears it.
constexpr const char* clear_line = "\r\x1b[K";

/// "4.2s", "37s", "5:03" or "2:05:03".
std::string duration_text(double seconds);

/// "[=====>..............]", as far as `done` of `all` is.
std::string bar_text(std::int64_t done, std::int64_t all);

}  // namespace gradus
