#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// Every error that gradus reports. `what()` names the thing, the place and, where there is one, the remedy.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An Error about one row of a tensor, which whoever made the tensor may know by another number: "the label
/// in row 3 is 7".
class RowError : public Error {
 public:
  /// The message is `before`, "row N", `after`; the tensor has `rows` of them.
  RowError(std::string before, std::int64_t row, std::int64_t rows, std::string after)
      : Error(before + "row " + std::to_string(row) + after),
        before_(std::move(before)),
        after_(std::move(after)),
        row_(row),
        rows_(rows) {}

  /// The number of the row, from 0 on, and how many there are.
  std::int64_t row() const noexcept { return row_; }
  std::int64_t rows() const noexcept { return rows_; }
  /// The same with a text in front.
  RowError behind(const std::string& place) const { return {place + before_, row_, rows_, after_}; }
  /// The message with another name for the row, "row 70 of the data".
  std::string text_for(const std::string& name) const { return before_ + name + after_; }

 private:
  std::string before_, after_;
  std::int64_t row_, rows_;
};

}  // namespace gradus
