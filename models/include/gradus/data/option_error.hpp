#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gradus/base/error.hpp"

namespace GRADUS_PUBLIC gradus {

/// An Error that options of the caller cause, or would mend. `what()` speaks the library's language and is
/// complete without `options()`, which are for programs: one that spells options its own way, as
/// "--no-header", can add what its users are to type.
class OptionError : public Error {
 public:
  /// `options` are members of options structures, "validation_split", with a value where one is meant:
  /// "header=false". Those that help only together are one element, a line each: "na=?\nmissing=drop".
  OptionError(std::vector<std::string> options, const std::string& message)
      : Error(message), options_(std::move(options)) {}

  /// Those that it is about; may be empty.
  const std::vector<std::string>& options() const noexcept { return options_; }

 private:
  std::vector<std::string> options_;
};

}  // namespace gradus
