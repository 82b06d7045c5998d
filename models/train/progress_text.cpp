#include "models/train/progress_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradus {

std::string duration_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f}s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string bar_text(std::int64_t done, std::int64_t all) {
  constexpr std::int64_t width = 20;
  const std::int64_t part = all > 0 ? std::clamp<std::int64_t>(done, 0, all) : 0;
  const auto filled = all > 0 ? static_cast<std::size_t>(width * part / all) : 0;
  std::string bar(width, '.');
  std::fill_n(bar.begin(), filled, '=');
  if (filled < bar.size()) bar[filled] = '>';
  return "[" + bar + "]";
}

}  // namespace gradus
