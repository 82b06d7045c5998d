#include "models/app/table/categories.hpp"

#include <algorithm>
#include <unordered_map>

#include "models/data/number_text.hpp"

namespace gradus {

namespace {

// Whether this is no number although it has digits.
bool is_code_word(const std::string& label, const NumberStyle& style) {
  return label.find_first_of("0123456789") != std::string::npos && !exact_number(label, style);
}

using Places = std::unordered_map<std::string, std::size_t>;

// The places of the categories by their numbers; of none when they are codes, or when two are the same
// number, as earlier versions made them.
Places places_of_numbers(const std::vector<std::string>& categories) {
  Places places;
  for (const std::string& category : categories)
    if (is_code_word(category, {}) || !places.emplace(category_of(category), places.size()).second) return {};
  return places;
}

}  // namespace

std::vector<std::string> label_categories(const Table& table, const TableColumn& column, const Rows& rows) {
  std::vector<char> occurs(column.labels.size(), 0);
  for (const std::uint32_t row : rows) occurs[column.codes[row]] = 1;
  bool are_codes = false;
  for (std::size_t i = 0; i < occurs.size(); ++i)
    are_codes = are_codes || (occurs[i] != 0 && is_code_word(column.labels[i], table.style()));
  std::vector<std::string> categories;
  for (const std::string& label : column.labels)
    categories.push_back(are_codes ? label : category_of(label, table.style()));
  return categories;
}

std::vector<std::size_t> category_places(const Table& table, const ColumnRecipe& recipe) {
  Places known;
  for (std::size_t i = 0; i < recipe.categories.size(); ++i) known.emplace(recipe.categories[i], i);
  const Places numbers = places_of_numbers(recipe.categories);
  const auto place = [&](const std::string& label, const NumberStyle& style) {
    if (const auto found = numbers.find(category_of(label, style)); found != numbers.end())
      return found->second;
    const auto found = known.find(label);
    return found == known.end() ? recipe.categories.size() : found->second;
  };
  std::vector<std::size_t> places;
  for (const std::string& label : table.column(recipe.name).labels)
    places.push_back(label.empty() ? place(recipe.fill_category, {}) : place(label, table.style()));
  return places;
}

}  // namespace gradus
