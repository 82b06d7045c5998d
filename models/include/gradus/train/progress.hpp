#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "gradus/train/callback.hpp"

namespace GRADUS_PUBLIC gradus {

/// Options of `progress_bar`.
struct ProgressOptions {
  /// Prints a piece of text; if empty, to the standard output.
  std::function<void(std::string_view)> print = {};
  /// Whether a line may be overwritten; by default, if the standard output is a terminal.
  std::optional<bool> live = {};
};

/// Shows each epoch as Keras does: a bar with the time to go, milliseconds a step and the scores so far,
/// where lines can be overwritten; then one line with the times of training and validation.
std::shared_ptr<Callback> progress_bar(const ProgressOptions& options = {});

}  // namespace gradus
