#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/table.hpp"

namespace gradus {

/// The words and numbers by which a table says, as its reader is told, that a value is missing. A number is
/// one in all its spellings.
class MissingMarks {
 public:
  /// Those of `options.na`, whose numbers are in `options.style` or, where they are none in it, as programs
  /// write them.
  explicit MissingMarks(const ReadTableOptions& options);

  /// Whether there are numbers among them.
  bool has_numbers() const { return !numbers_.empty(); }
  /// Whether the number is one of them.
  bool have(double number) const;
  /// Whether a field is one of them; `number` is its number, when it is one.
  bool have_field(std::string_view text, std::optional<double> number) const;
  /// Whether a label is one of them, which is compared digit for digit.
  bool have_label(std::string_view label, const NumberStyle& style) const;
  /// The numbers.
  const std::vector<double>& numbers() const { return numbers_; }

 private:
  const std::vector<std::string>& words_;
  std::vector<double> numbers_;
  std::vector<std::string> categories_;  // of the numbers
};

}  // namespace gradus
