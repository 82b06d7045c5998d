#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/base/public.hpp"

namespace GRADUS_PUBLIC gradus {

/// Named numbers in a fixed order: "loss", the metrics, and the same with "val_" in front.
struct Scores {
  std::vector<std::string> names;  ///< in order
  std::vector<double> values;      ///< as many

  /// Null when there is none of this name.
  const double* find(std::string_view name) const;
  /// Error naming those that exist when there is none.
  double at(std::string_view name) const;
};

/// The scores of a training after each epoch, and how it ended, as Keras's `fit` returns them.
struct History {
  std::vector<std::string> names;           ///< of the scores
  std::vector<std::vector<double>> epochs;  ///< the scores after each epoch that was finished
  std::int64_t planned_epochs = 0;          ///< that were asked for
  std::int64_t steps = 0;                   ///< an epoch
  std::int64_t samples = 0;                 ///< trained on
  std::int64_t validation = 0;              ///< validated on
  std::int64_t batch = 0;                   ///< samples a step
  std::string stopped;                      ///< why it stopped early, or empty
  bool failed = false;                      ///< stopped because a step was not finite
  std::vector<std::string> remarks;         ///< what is to be known: a step skipped, a rate that changed

  /// A score's course over the epochs; Error naming those that exist when there is none of this name.
  std::vector<double> of(std::string_view name) const;
  /// {"params": {"epochs": …, "steps": …}, "history": {"loss": […], …}}, as Keras has them.
  std::string json() const;
  /// "epoch,loss,…" and a line for each epoch from 0 on, as Keras's CSVLogger writes them.
  std::string csv() const;
};

/// The header of such a table, and one of its lines; both end with a line break.
std::string csv_header(std::span<const std::string> names);
std::string csv_line(std::int64_t epoch, std::span<const double> values);

}  // namespace gradus
