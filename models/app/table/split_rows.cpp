#include "models/app/table/split_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "gradus/base/random.hpp"
#include "gradus/data/option_error.hpp"
#include "gradus/train/split.hpp"

namespace gradus {

namespace {

// The last part of each class, which keeps at least one row for training.
RowSplit stratified(const TableColumn& target, const Rows& rows, double validation) {
  std::map<std::string, std::size_t> left;
  for (const std::uint32_t row : rows) ++left[category_of(target.labels[target.codes[row]])];
  for (auto& [label, count] : left)
    count -=
        std::min(count - 1, static_cast<std::size_t>(std::llround(static_cast<double>(count) * validation)));
  RowSplit split;
  for (const std::uint32_t row : rows) {
    std::size_t& count = left[category_of(target.labels[target.codes[row]])];
    (count > 0 ? split.training : split.validation).push_back(row);
    count -= count > 0 ? 1 : 0;
  }
  return split;
}

}  // namespace

RowSplit split_rows(const Table& table, const TableOptions& options) {
  const double validation = options.validation_split;
  if (!(validation >= 0 && validation < 1))
    throw OptionError({"validation_split"},
                      fmt::format("validation_split is {}; it must be in [0, 1)", validation));
  Rows rows(table.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  if (!options.in_order) Random(options.seed, stream_of("split")).shuffle(rows);
  const TableColumn& target = table.column(options.target);
  if (options.stratify && target.is_number)
    throw OptionError(
        {"stratify", "task=classify"},
        fmt::format("{}: column '{}' is of numbers, which have no classes to stratify; do without, "
                    "or classify it",
                    options.data, target.name));
  RowSplit split;
  if (options.stratify) {
    split = stratified(target, rows, validation);
  } else {
    const auto end = rows.begin() + training_count(static_cast<std::int64_t>(rows.size()), validation);
    split = {{rows.begin(), end}, {end, rows.end()}};
  }
  if (split.training.empty() || (split.validation.empty() && validation > 0))
    throw OptionError(
        {"validation_split"},
        fmt::format("{}: a validation_split of {} leaves {} of {} rows for training and {} for "
                    "validation; there must be some of both",
                    options.data, validation, split.training.size(), rows.size(), split.validation.size()));
  return split;
}

}  // namespace gradus
