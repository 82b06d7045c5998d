#include "gradus/check/gradient_report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gradus {

bool GradientReport::ok() const {
  return std::ranges::all_of(tensors, &CheckedTensor::ok) &&
         std::ranges::all_of(properties, &CheckedProperty::ok);
}

double GradientReport::worst_error(int order) const {
  double worst = 0;
  for (const auto& tensor : tensors)
    if (order == 0 || tensor.order == order) worst = std::max(worst, tensor.worst_error);
  return worst;
}

std::string GradientReport::text() const {
  const auto row = [](std::string_view name, std::string_view shape, int order, const CheckedEntry& e,
                      std::string_view verdict) {
    return fmt::format("{:<18} {:>12} {:>5}  {:<18} {:>22.15g} {:>22.15g} {:>8.1e} {:>8.1e}  {}\n", name,
                       shape, order > 0 ? std::to_string(order) : "", e.what, e.analytic, e.numeric,
                       e.uncertainty, e.error, verdict);
  };
  std::string text =
      fmt::format("{:<18} {:>12} {:>5}  {:<18} {:>22} {:>22} {:>8} {:>8}  {}\n", "tensor", "shape", "order",
                  "worst entry", "gradient", "difference", "+-", "error", "verdict");
  std::vector<const CheckedTensor*> sorted;
  for (const auto& tensor : tensors) sorted.push_back(&tensor);
  std::ranges::stable_sort(sorted,
                           [](const auto* a, const auto* b) { return a->worst.excess > b->worst.excess; });
  for (const CheckedTensor* tensor : sorted) {
    std::string verdict = tensor->ok ? "ok" : tensor->failures > 0 ? "WRONG" : "UNSETTLED";
    if (tensor->kinks > 0)
      verdict += fmt::format(" ({} of {} at a kink: {})", tensor->kinks, tensor->nonzero, tensor->kink_at);
    if (tensor->unsettled > 0)
      verdict += fmt::format(" ({} of {} differences do not settle: {})", tensor->unsettled, tensor->nonzero,
                             tensor->unsettled_at);
    text += row(tensor->name, to_string(std::span(tensor->extents)), tensor->order, tensor->worst, verdict);
    constexpr std::size_t most_shown = 5;
    for (std::size_t i = 1; i < std::min(tensor->failed.size(), most_shown); ++i)
      text += row("", "", 0, tensor->failed[i], "WRONG");
    if (tensor->failures > most_shown)
      text += fmt::format("{:<18} … {} of {} wrong\n", "", tensor->failures, tensor->compared);
  }
  for (const auto& property : properties)
    if (!property.ok) text += fmt::format("BROKEN: {}: {}\n", property.name, property.detail);
  for (const auto& suspect : suspects) text += fmt::format("suspect: {}\n", suspect);
  return text;
}

}  // namespace gradus
