#include "models/data/near_name.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "models/data/number_text.hpp"
#include "models/data/printable.hpp"

namespace gradus {

namespace {

std::string lower(std::string_view text) {
  std::string small(trimmed(text));
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return small;
}

// How many letters must be put in, left out or exchanged, or swapped with the next, to make one of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    std::swap(before, row);
    std::swap(row, next);
  }
  return row.back();
}

}  // namespace

std::string near_name(std::string_view name, const std::vector<std::string>& names) {
  constexpr std::size_t longest = 64;  // what is longer was not typed
  if (name.size() > longest) return {};
  std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
  std::string found;
  for (const std::string& each : names) {
    if (each.size() > longest || each == name) continue;
    const std::size_t now = distance(lower(name), lower(each));
    if (now < least && now < each.size()) {
      least = now;
      found = each;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& names) {
  const std::string near = near_name(name, names);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", shortened(near));
}

std::string no_such_name(std::string_view what, std::string_view name,
                         const std::vector<std::string>& names) {
  return fmt::format("there is no {} '{}'; there are: {}{}", what, shortened(name), fmt::join(names, ", "),
                     did_you_mean(name, names));
}

}  // namespace gradus
