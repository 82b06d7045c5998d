#include "gradus/data/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace gradus {

Table::Table(std::filesystem::path path, std::size_t rows, std::vector<TableColumn> columns, Shifts shifts)
    : path_(std::move(path)), rows_(rows), columns_(std::move(columns)), shifts_(std::move(shifts)) {}

const TableColumn& Table::column(std::string_view name) const {
  const auto found = std::ranges::find(columns_, name, &TableColumn::name);
  if (found != columns_.end()) return *found;
  std::vector<std::string> names;
  for (const TableColumn& each : columns_) names.push_back(each.name);
  throw no_column(fmt::format("table '{}'", path_.string()), name, names);
}

std::string Table::place(std::size_t row, std::string_view column) const {
  if (shifts_.empty()) return fmt::format("{}: row {}: column '{}'", path_.string(), row, column);
  const auto next = std::ranges::upper_bound(shifts_, row, {}, [](const auto& shift) { return shift.first; });
  return fmt::format("{}:{}: column '{}'", path_.string(), row + std::prev(next)->second, column);
}

OptionError no_column(std::string_view file, std::string_view name, const std::vector<std::string>& names) {
  constexpr std::size_t shown = 20;
  std::string all;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) all += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > shown) all += ", …, " + names.back();
  const bool other_delimiter = names.size() == 1 && names[0].find_first_of(",;\t|") != std::string::npos;
  const std::string message = fmt::format("{}: there is no column '{}'; there are: {}", file, name, all);
  if (!other_delimiter) return {{}, message};
  return {{"delimiter"}, message + "; if that is more than one column, another delimiter separates them"};
}

}  // namespace gradus
