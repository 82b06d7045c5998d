#include "gradus/data/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "models/data/number_text.hpp"

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

// The name that was probably meant; empty when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& names) {
  constexpr std::size_t longest = 64;  // what is longer was not typed
  if (name.size() > longest) return {};
  std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
  std::string found;
  for (const std::string& each : names) {
    if (each.size() > longest) continue;
    const std::size_t now = distance(lower(name), lower(each));
    if (now < least && now < each.size()) {
      least = now;
      found = each;
    }
  }
  return found;
}

}  // namespace

OptionError no_column(std::string_view file, std::string_view name, const std::vector<std::string>& names) {
  constexpr std::size_t shown = 20;
  std::string all;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) all += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > shown) all += ", …, " + names.back();
  std::string message = fmt::format("{}: there is no column '{}'; there are: {}", file, name, all);
  if (const std::string near = nearest(name, names); !near.empty())
    message += fmt::format("; did you mean '{}'?", near);
  constexpr std::string_view delimiters = ";\t|,";
  const std::size_t at = names.size() == 1 ? names[0].find_first_of(delimiters) : std::string::npos;
  if (at == std::string::npos) return {{}, message};
  const std::string other = names[0][at] == '\t' ? "tab" : std::string(1, names[0][at]);
  return {{"delimiter=" + other},
          message + "; if that is more than one column, another delimiter separates them"};
}

}  // namespace gradus
