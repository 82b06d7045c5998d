#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "gradus/data/name_index.hpp"
#include "gradus/data/table.hpp"

namespace gradus {

/// Names, of which a file may have a hundred thousand.
using NameSet = std::unordered_set<std::string, NameHash, std::equal_to<>>;

inline NameSet set_of(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

/// The columns that are asked for as something, to be looked up.
struct AskedColumns {
  explicit AskedColumns(const ReadTableOptions& options)
      : text(set_of(options.text)),
        numbers(set_of(options.numbers)),
        dates(set_of(options.dates)),
        exclude(set_of(options.exclude)),
        complete(set_of(options.complete)) {}

  NameSet text, numbers, dates, exclude, complete;

  /// Whether a value that is missing in the column matters to who asks.
  bool needs(std::string_view column) const { return complete.contains(column) || numbers.contains(column); }
  /// Whether it is asked for as anything.
  bool names(std::string_view column) const {
    return needs(column) || text.contains(column) || dates.contains(column);
  }
};

}  // namespace gradus
