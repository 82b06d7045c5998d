#include "models/app/table/split_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "gradus/base/random.hpp"
#include "gradus/data/option_error.hpp"
#include "gradus/train/split.hpp"
#include "models/app/table/categories.hpp"

namespace gradus {

namespace {

// The class of each row as a number.
std::vector<double> classes_of(const Table& table, const TableColumn& target, const Rows& rows) {
  const std::vector<std::string> categories = label_categories(table, target, rows);
  std::map<std::string, double> numbers;
  std::vector<double> classes;
  for (const std::uint32_t code : target.codes)
    classes.push_back(
        numbers.try_emplace(categories[code], static_cast<double>(numbers.size())).first->second);
  return classes;
}

}  // namespace

SplitRows split_rows(const Table& table, const TableOptions& options) {
  const double validation = options.validation_split;
  if (!(validation >= 0 && validation < 1))
    throw OptionError({"validation_split"},
                      fmt::format("validation_split is {}; it must be in [0, 1)", validation));
  const TableColumn& target = table.column(options.target);
  if (options.stratify && target.is_number)
    throw OptionError(
        {"stratify", "task=classify"},
        fmt::format("{}: column '{}' is of numbers, which have no classes to stratify; do without, "
                    "or classify it",
                    options.data, target.name));
  if (options.stratify && options.in_order)
    throw OptionError(
        {"stratify=false", "in_order=false"},
        fmt::format("{}: rows that keep their order cannot be drawn from each class; give one of "
                    "both",
                    options.data));
  if (validation == 0 && (options.in_order || options.stratify))
    throw OptionError({options.in_order ? "in_order=false" : "stratify=false", "validation_split"},
                      fmt::format("{}: with a validation_split of 0 no rows are kept for validation, so {} "
                                  "chooses nothing; do without, or keep some",
                                  options.data, options.in_order ? "in_order" : "stratify"));
  Rows rows(table.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  if (options.stratify) return stratified_split(classes_of(table, target, rows), validation, options.seed);
  if (!options.in_order) Random(options.seed, stream_of("split")).shuffle(rows);
  const auto end = rows.begin() + training_count(static_cast<std::int64_t>(rows.size()), validation);
  SplitRows split{{rows.begin(), end}, {end, rows.end()}};
  if (split.training.empty() || (split.validation.empty() && validation > 0))
    throw OptionError(
        {"validation_split"},
        fmt::format("{}: a validation_split of {} leaves {} of {} rows for training and {} for "
                    "validation; there must be some of both",
                    options.data, validation, split.training.size(), rows.size(), split.validation.size()));
  return split;
}

}  // namespace gradus
