#include "gradus/data/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "models/data/near_name.hpp"
#include "models/data/printable.hpp"

namespace gradus {

std::uint64_t RowPlaces::shift(std::size_t row) const {
  if (shifts_.empty()) return 0;
  const auto next = std::ranges::upper_bound(shifts_, row, {}, [](const auto& shift) { return shift.first; });
  return std::prev(next)->second;
}

std::string RowPlaces::place(std::size_t row, std::string_view column) const {
  return fmt::format("{}:{}{}: column '{}'", path_.string(), has_lines_ ? "" : " row ", row + shift(row),
                     column);
}

RowPlaces RowPlaces::only(const std::vector<std::size_t>& rows) const {
  RowPlaces left(path_, {});
  left.has_lines_ = has_lines_;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (const std::uint64_t now = rows[i] + shift(rows[i]) - i;
        left.shifts_.empty() || left.shifts_.back().second != now)
      left.shifts_.emplace_back(i, now);
  return left;
}

Table::Table(RowPlaces places, std::size_t rows, std::vector<TableColumn> columns,
             std::vector<std::string> notes, char delimiter, const NumberStyle& style)
    : places_(std::move(places)),
      rows_(rows),
      columns_(std::move(columns)),
      notes_(std::move(notes)),
      delimiter_(delimiter),
      style_(style) {
  for (const TableColumn& column : columns_) by_name_.add(column.name);
}

const TableColumn& Table::column(std::string_view name) const {
  if (const auto place = by_name_.find(name)) return columns_[*place];
  std::vector<std::string> names;
  for (const TableColumn& each : columns_) names.push_back(each.name);
  throw no_column(fmt::format("table '{}'", path().string()), name, names);
}

OptionError no_column(std::string_view file, std::string_view name, const std::vector<std::string>& names) {
  constexpr std::size_t shown = 20;
  std::string all;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i)
    all += (i == 0 ? "" : ", ") + shortened(names[i]);
  if (names.size() > shown) all += ", …, " + shortened(names.back());
  const std::string message = fmt::format("{}: there is no column '{}'; there are: {}{}", file,
                                          shortened(name), all, did_you_mean(name, names));
  constexpr std::string_view delimiters = ";\t|,";
  const std::size_t at = names.size() == 1 ? names[0].find_first_of(delimiters) : std::string::npos;
  if (at == std::string::npos) return {{}, message};
  const std::string other = names[0][at] == '\t' ? "tab" : std::string(1, names[0][at]);
  return {{"delimiter=" + other},
          message + "; if that is more than one column, another delimiter separates them"};
}

}  // namespace gradus
