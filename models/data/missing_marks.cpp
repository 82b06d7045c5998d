#include "models/data/missing_marks.hpp"

#include <algorithm>

#include "models/data/number_text.hpp"

namespace gradus {

MissingMarks::MissingMarks(const ReadTableOptions& options) : words_(options.na) {
  for (const std::string& word : words_) {
    const bool is_own = number_of(word, options.style).has_value();
    const NumberStyle style = is_own ? options.style : NumberStyle{};
    if (const auto number = number_of(word, style)) {
      numbers_.push_back(*number);
      categories_.push_back(category_of(word, style));
    }
  }
}

bool MissingMarks::have(double number) const { return std::ranges::find(numbers_, number) != numbers_.end(); }

bool MissingMarks::have_field(std::string_view text, std::optional<double> number) const {
  return std::ranges::find(words_, text) != words_.end() || (number && have(*number));
}

bool MissingMarks::have_label(std::string_view label, const NumberStyle& style) const {
  if (std::ranges::find(words_, label) != words_.end()) return true;
  return has_numbers() && std::ranges::find(categories_, category_of(label, style)) != categories_.end();
}

}  // namespace gradus
