#include "models/train/weight_values.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "gradus/base/error.hpp"
#include "models/data/printable.hpp"

namespace gradus {

namespace {

// "[0, 2]", the place of an entry in a tensor.
std::string place_of(std::size_t entry, const Extents& extents) {
  std::vector<std::size_t> place;
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(extents[axis]);
    place.push_back(entry % extent);
    entry /= extent;
  }
  std::ranges::reverse(place);
  return fmt::format("[{}]", fmt::join(place, ", "));
}

template <class T>
void require_finite_values(const TensorFile& file, std::string_view name, const std::vector<double>& values) {
  const auto is_finite = [](double value) { return std::isfinite(static_cast<T>(value)); };
  const auto odd = std::ranges::find_if_not(values, is_finite);
  if (odd == values.end()) return;
  const std::string beyond =
      std::isfinite(*odd) ? fmt::format(", which no {} holds", std::is_same_v<T, float> ? "float" : "double")
                          : "";
  throw Error(fmt::format(
      "tensor file '{}', tensor '{}': the entry {} is {}{}; weights that are not finite are loaded only when "
      "they are asked for: train or convert the model again",
      file.path().string(), shortened(name),
      place_of(static_cast<std::size_t>(odd - values.begin()), file.at(name).extents), *odd, beyond));
}

}  // namespace

void require_known_format(const TensorFile& file) {
  const auto found = file.metadata().find(format_key);
  if (found == file.metadata().end()) return;
  const std::string& format = found->second;
  // Other programs name theirs.
  if (!format.starts_with("gradus ") || format == weights_format || format == checkpoint_format) return;
  throw Error(
      fmt::format("tensor file '{}': its format is '{}', and this version knows '{}' and '{}'; use the "
                  "version that wrote it, or write it again with this one",
                  file.path().string(), shortened(format), weights_format, checkpoint_format));
}

template <class T> void require_finite(const TensorFile& file, std::string_view name) {
  require_finite_values<T>(file, name, file.values(name));
}

template <class T>
std::vector<double> weight_values(const TensorFile& file, std::string_view name, const LoadOptions& options) {
  std::vector<double> values = file.values(name);
  if (!options.not_finite) require_finite_values<T>(file, name, values);
  return values;
}

template void require_finite<float>(const TensorFile&, std::string_view);
template void require_finite<double>(const TensorFile&, std::string_view);
template std::vector<double> weight_values<float>(const TensorFile&, std::string_view, const LoadOptions&);
template std::vector<double> weight_values<double>(const TensorFile&, std::string_view, const LoadOptions&);

}  // namespace gradus
