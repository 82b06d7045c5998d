#include "models/app/table/recipe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "gradus/data/option_error.hpp"
#include "models/data/whole_number.hpp"

namespace gradus {

namespace {

using Json = nlohmann::json;

Json to_json(const ColumnRecipe& column) {
  Json json{{"name", column.name}};
  if (column.is_number())
    json.update({{"mean", column.mean}, {"deviation", column.deviation}});
  else
    json["categories"] = column.categories;
  return json;
}

ColumnRecipe column_from(const Json& json) {
  ColumnRecipe column{json.at("name").get<std::string>()};
  if (json.contains("categories")) {
    column.categories = json["categories"].get<std::vector<std::string>>();
    if (column.categories.empty()) throw Error(fmt::format("column '{}' has no categories", column.name));
    return column;
  }
  column.mean = json.at("mean");
  column.deviation = json.at("deviation");
  if (!(column.deviation > 0)) throw Error(fmt::format("column '{}' has no deviation above 0", column.name));
  return column;
}

// Each label's place in the categories; Error for the first row of `rows` with one that is not there.
std::vector<std::size_t> places(const Table& table, const TableColumn& column, const ColumnRecipe& recipe,
                                const Rows& rows) {
  std::vector<std::size_t> place;
  for (const std::string& label : column.labels)
    place.push_back(
        static_cast<std::size_t>(std::ranges::find(recipe.categories, label) - recipe.categories.begin()));
  for (const std::uint32_t row : rows)
    if (const std::uint32_t code = column.codes[row]; place[code] == recipe.categories.size()) {
      std::string known;
      for (std::size_t i = 0; i < std::min<std::size_t>(recipe.categories.size(), 8); ++i)
        known += (i == 0 ? "" : ", ") + recipe.categories[i];
      if (recipe.categories.size() > 8) known += ", …";
      throw Error(
          fmt::format("{}: '{}' does not occur in the rows of training, which have: {}; correct it, or "
                      "train again with such rows",
                      table.place(row, column.name), column.labels[code], known));
    }
  return place;
}

// Writes the column's numbers into each row of `into`, at `offset`.
void encode(const Table& table, const ColumnRecipe& recipe, const Rows& rows, std::vector<double>& into,
            std::size_t width, std::size_t offset) {
  const TableColumn& column = table.column(recipe.name);
  if (recipe.is_number()) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      into[i * width + offset] = (column.numbers[rows[i]] - recipe.mean) / recipe.deviation;
    return;
  }
  const auto place = places(table, column, recipe, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) into[i * width + offset + place[column.codes[rows[i]]]] = 1;
}

// Error unless the file's tensors have the sizes that its recipe claims. The recipe is untrusted: without
// this check a small file could make a model of any size.
void check_sizes(const TensorFile& file, const TableRecipe& recipe) {
  std::int64_t width = recipe.inputs();
  for (std::size_t i = 0; i <= recipe.hidden.size(); ++i) {
    const bool last = i == recipe.hidden.size();
    const std::int64_t units = last ? recipe.outputs() : recipe.hidden[i];
    const std::string name = last ? "output/W" : hidden_name(i) + "/W";
    if (file.at(name).extents != Extents{width, units})
      throw Error(fmt::format("tensor '{}' is {}, but the recipe says {}", name,
                              to_string(file.at(name).extents), to_string(Extents{width, units})));
    width = units;
  }
}

}  // namespace

std::int64_t ColumnRecipe::width() const {
  return is_number() ? 1 : static_cast<std::int64_t>(categories.size());
}

std::int64_t TableRecipe::inputs() const {
  std::int64_t count = 0;
  for (const ColumnRecipe& feature : features) count += feature.width();
  return count;
}

std::string hidden_name(std::size_t layer) { return fmt::format("hidden{}", layer + 1); }

std::string TableRecipe::json() const {
  Json json{{"task", task == Task::classify ? "classify" : "regress"},
            {"target", to_json(target)},
            {"features", Json::array()},
            {"hidden", hidden},
            {"activation", activation},
            {"normalization", normalization},
            {"dropout", dropout},
            {"precision", in_double ? "double" : "float"}};
  for (const ColumnRecipe& feature : features) json["features"].push_back(to_json(feature));
  return json.dump();
}

TableRecipe recipe_of(const TensorFile& file) {
  const auto refuse = [&](std::string_view why) {
    return Error(fmt::format("model file '{}': {}", file.path().string(), why));
  };
  const auto found = file.metadata().find("recipe");
  if (found == file.metadata().end())
    throw OptionError({"model"}, fmt::format("model file '{}': there is no recipe in it; name a model that "
                                             "was trained on a table and saved",
                                             file.path().string()));
  try {
    const Json json = Json::parse(found->second);
    TableRecipe recipe;
    const std::string task = json.at("task");
    if (task != "classify" && task != "regress") throw Error("there is no task '" + task + "'");
    recipe.task = task == "classify" ? Task::classify : Task::regress;
    recipe.target = column_from(json.at("target"));
    for (const Json& feature : json.at("features")) recipe.features.push_back(column_from(feature));
    for (const Json& units : json.at("hidden")) recipe.hidden.push_back(whole_number<std::int64_t>(units, 1));
    recipe.activation = json.at("activation");
    recipe.normalization = json.at("normalization");
    recipe.dropout = json.at("dropout");
    recipe.in_double = json.at("precision") == "double";
    if (recipe.features.empty()) throw Error("there are no features");
    if (recipe.target.is_number() != (recipe.task == Task::regress))
      throw Error("the target fits no such task");
    check_sizes(file, recipe);
    return recipe;
  } catch (const std::exception& error) {
    throw refuse(
        fmt::format("its recipe makes no sense ({}); it is damaged, train and save it again", error.what()));
  }
}

std::vector<double> encode_features(const Table& table, const TableRecipe& recipe, const Rows& rows) {
  const auto width = static_cast<std::size_t>(recipe.inputs());
  std::vector<double> values(rows.size() * width);
  std::size_t offset = 0;
  for (const ColumnRecipe& feature : recipe.features) {
    encode(table, feature, rows, values, width, offset);
    offset += static_cast<std::size_t>(feature.width());
  }
  return values;
}

std::vector<double> encode_target(const Table& table, const TableRecipe& recipe, const Rows& rows) {
  const auto width = static_cast<std::size_t>(recipe.outputs());
  std::vector<double> values(rows.size() * width);
  encode(table, recipe.target, rows, values, width, 0);
  return values;
}

}  // namespace gradus
