#include "models/app/table/recipe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "framework/base/aligned.hpp"
#include "gradus/data/option_error.hpp"
#include "models/app/table/categories.hpp"
#include "models/app/table/table_network.hpp"
#include "models/data/bounded_json.hpp"
#include "models/data/near_name.hpp"
#include "models/data/whole_number.hpp"
#include "models/train/weight_values.hpp"

namespace gradus {

namespace {

// An entry that an earlier version did not have is written only where it says something, so that it reads
// what it can.
Json to_json(const ColumnRecipe& column) {
  Json json{{"name", column.name}};
  if (column.is_number())
    json.update({{"mean", column.mean}, {"deviation", column.deviation}});
  else
    json["categories"] = column.categories;
  if (column.is_date) json["date"] = true;
  if (column.marks_missing) json["marks_missing"] = true;
  if (column.fill) json["fill"] = *column.fill;
  if (!column.fill_category.empty()) json["fill_category"] = column.fill_category;
  return json;
}

// A number, which JSON has no infinities and NaN for.
double number_in(const Json& json, const char* key) {
  if (!json.at(key).is_number()) throw Error(fmt::format("its {} is no number", key));
  return json[key].get<double>();
}

ColumnRecipe column_from(const Json& json) {
  ColumnRecipe column{json.at("name").get<std::string>()};
  if (json.contains("categories")) {
    column.categories = json["categories"].get<std::vector<std::string>>();
    if (column.categories.empty()) throw Error(fmt::format("column '{}' has no categories", column.name));
    column.fill_category = json.value("fill_category", "");
    return column;
  }
  column.mean = number_in(json, "mean");
  column.deviation = number_in(json, "deviation");
  if (!(column.deviation > 0)) throw Error(fmt::format("column '{}' has no deviation above 0", column.name));
  column.is_date = json.value("date", false);
  column.marks_missing = json.value("marks_missing", false);
  if (json.contains("fill")) column.fill = number_in(json, "fill");
  return column;
}

constexpr std::array<std::string_view, 4> missing_names{"error", "drop", "mean", "level"};

Missing missing_from(const std::string& name) {
  const auto* const found = std::ranges::find(missing_names, name);
  if (found == missing_names.end())
    throw Error(fmt::format("there is no treatment '{}' of missing values", shortened(name)));
  return static_cast<Missing>(found - missing_names.begin());
}

Json to_json(const TableFormat& format) {
  const auto text = [](char c) { return c == '\0' ? std::string() : std::string(1, c); };
  return {{"delimiter", text(format.delimiter)},
          {"header", format.header},
          {"decimal", text(format.style.decimal)},
          {"thousands", text(format.style.thousands)},
          {"na", format.na}};
}

TableFormat format_from(const Json& json) {
  const auto one = [&](const char* key, bool may_be_none) {
    const std::string text = json.at(key).get<std::string>();
    if (text.empty() && may_be_none) return '\0';
    if (text.size() != 1 || text == "\n" || text == "\"" || text == "\r" || text[0] == '\0')
      throw Error(fmt::format("its {} is no character that can be one", key));
    return text[0];
  };
  TableFormat format{one("delimiter", false),
                     json.at("header").get<bool>(),
                     {one("decimal", false), one("thousands", true)},
                     json.at("na").get<std::vector<std::string>>()};
  if (format.style.decimal == format.style.thousands)
    throw Error("its decimal sign separates thousands, too");
  return format;
}

// Writes the column's numbers into each row of `into`, at `offset`.
void encode(const Table& table, const ColumnRecipe& recipe, const Rows& rows, std::vector<double>& into,
            std::size_t width, std::size_t offset) {
  const TableColumn& column = table.column(recipe.name);
  if (recipe.is_number()) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double value = column.numbers[rows[i]];
      const bool missing = std::isnan(value);
      into[i * width + offset] = recipe.standardized(missing && recipe.fill ? *recipe.fill : value);
      if (recipe.marks_missing && missing) into[i * width + offset + 1] = 1;
    }
    return;
  }
  const auto place = category_places(table, recipe);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (const std::size_t at = place[column.codes[rows[i]]]; at < recipe.categories.size())
      into[i * width + offset + at] = 1;
}

// A name that is one of these.
std::string one_of(const std::vector<std::string>& names, std::string_view what, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) throw Error(no_such_name(what, name, names));
  return name;
}

// Error, or one of JSON's, that gives only the reason for a recipe that makes no sense.
TableRecipe parsed_recipe(const std::string& text) {
  const Json json = parsed_json(text);
  TableRecipe recipe;
  const std::string task = json.at("task");
  if (task != "classify" && task != "regress")
    throw Error(fmt::format("there is no task '{}'", shortened(task)));
  recipe.task = task == "classify" ? Task::classify : Task::regress;
  recipe.target = column_from(json.at("target"));
  for (const Json& feature : json.at("features")) recipe.features.push_back(column_from(feature));
  for (const Json& units : json.at("hidden")) recipe.hidden.push_back(whole_number<std::int64_t>(units, 1));
  recipe.activation = one_of(activation_names(), "activation", json.at("activation"));
  recipe.normalization = one_of({"", "batch", "layer"}, "normalization", json.at("normalization"));
  recipe.dropout = number_in(json, "dropout");
  if (!(recipe.dropout >= 0 && recipe.dropout < 1))
    throw Error(fmt::format("its dropout is {}, not in [0, 1)", recipe.dropout));
  recipe.in_double = one_of({"float", "double"}, "precision", json.at("precision")) == "double";
  if (json.contains("missing")) recipe.missing = missing_from(json["missing"]);
  if (json.contains("format")) recipe.format = format_from(json["format"]);
  if (recipe.features.empty()) throw Error("there are no features");
  if (recipe.target.is_number() != (recipe.task == Task::regress))
    throw Error("the target fits no such task");
  if (recipe.target.marks_missing) throw Error("the target cannot be missing");
  return recipe;
}

// The layers' names, from the inputs on.
std::vector<std::string> layers_of(const TableRecipe& recipe) {
  std::vector<std::string> layers;
  for (std::size_t i = 0; i < recipe.hidden.size(); ++i) layers.push_back(hidden_name(i));
  layers.emplace_back("output");
  return layers;
}

// Error unless the file's tensors have the sizes that its recipe claims. The recipe is untrusted: without
// this check a small file could make a model of any size.
void check_sizes(const TensorFile& file, const TableRecipe& recipe) {
  std::vector<std::int64_t> sizes{recipe.inputs()};
  sizes.insert(sizes.end(), recipe.hidden.begin(), recipe.hidden.end());
  sizes.push_back(recipe.outputs());
  const std::vector<std::string> layers = layers_of(recipe);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string name = layers[i] + "/W";
    const Extents claimed{sizes[i], sizes[i + 1]};
    if (file.at(name).extents != claimed)
      throw Error(fmt::format("tensor '{}' is {}, but the recipe says {}", name,
                              to_string(file.at(name).extents), to_string(claimed)));
  }
}

}  // namespace

std::int64_t ColumnRecipe::width() const {
  return is_number() ? (marks_missing ? 2 : 1) : static_cast<std::int64_t>(categories.size());
}

double ColumnRecipe::standardized(double value) const {
  const double off = value - mean;
  return std::isinf(off) ? value / deviation - mean / deviation : off / deviation;
}

double ColumnRecipe::original(double standardized) const {
  const double off = standardized * deviation;
  return std::isinf(off) ? 2 * (standardized / 2 * deviation + mean / 2) : off + mean;
}

std::int64_t TableRecipe::inputs() const {
  std::int64_t count = 0;
  for (const ColumnRecipe& feature : features) count += feature.width();
  return count;
}

std::string hidden_name(std::size_t layer) { return fmt::format("hidden{}", layer + 1); }

std::string_view name_of(Missing missing) { return missing_names[static_cast<std::size_t>(missing)]; }

std::string TableRecipe::json() const {
  Json json{{"task", task == Task::classify ? "classify" : "regress"},
            {"target", to_json(target)},
            {"features", Json::array()},
            {"hidden", hidden},
            {"activation", activation},
            {"normalization", normalization},
            {"dropout", dropout},
            {"precision", in_double ? "double" : "float"},
            {"missing", name_of(missing)},
            {"format", to_json(format)}};
  for (const ColumnRecipe& feature : features) json["features"].push_back(to_json(feature));
  return json_text(json);
}

TableRecipe recipe_of(const TensorFile& file) {
  const auto found = file.metadata().find("recipe");
  require_known_format(file);
  if (found == file.metadata().end())
    throw OptionError({"model"}, fmt::format("model file '{}': there is no recipe in it; name a model that "
                                             "was trained on a table and saved",
                                             file.path().string()));
  const auto refuse = [&](std::string_view why) {
    return Error(
        fmt::format("model file '{}': its recipe makes no sense ({}); it is damaged, train and save it "
                    "again",
                    file.path().string(), why));
  };
  TableRecipe recipe;
  try {
    recipe = parsed_recipe(found->second);
  } catch (const std::bad_alloc&) {
    throw;  // which says nothing of the file
  } catch (const std::exception& error) {
    throw refuse(error.what());
  }
  // A tensor that is not supported here is no damage.
  for (const std::string& layer : layers_of(recipe))
    for (const char* parameter : {"/W", "/b"}) file.require_readable(layer + parameter);
  try {
    check_sizes(file, recipe);
  } catch (const Error& error) {
    throw refuse(error.what());
  }
  return recipe;
}

std::vector<UnknownLevel> unknown_levels(const Table& table, const TableRecipe& recipe, const Rows& rows,
                                         bool with_target) {
  std::vector<UnknownLevel> unknown;
  const auto look = [&](const ColumnRecipe& known) {
    if (known.is_number()) return;
    const TableColumn& column = table.column(known.name);
    const auto places = category_places(table, known);
    const std::vector<std::string> categories = label_categories(table, column, rows);
    std::unordered_map<std::string_view, std::size_t> found;
    for (const std::uint32_t row : rows) {
      const std::uint32_t code = column.codes[row];
      if (places[code] < known.categories.size() || column.labels[code].empty()) continue;
      const auto [at, is_new] = found.emplace(categories[code], unknown.size());
      if (is_new) unknown.push_back({known.name, column.labels[code], row, 0, 0});
      UnknownLevel& level = unknown[at->second];
      level.row = std::min<std::size_t>(level.row, row);
      ++level.rows;
    }
  };
  for (const ColumnRecipe& feature : recipe.features) look(feature);
  if (with_target) look(recipe.target);
  return unknown;
}

std::vector<UnknownLevel> first_of_columns(const std::vector<UnknownLevel>& levels) {
  std::vector<UnknownLevel> first;
  for (const UnknownLevel& level : levels) {
    if (first.empty() || first.back().column != level.column)
      first.push_back(level);
    else
      ++first.back().others;
  }
  return first;
}

std::string others_text(const UnknownLevel& level) {
  std::string text = level.rows == 1 ? "" : fmt::format("{} rows", level.rows);
  if (level.others > 0) text += fmt::format("{}and {} other levels", text.empty() ? "" : ", ", level.others);
  return text.empty() ? "" : " (" + text + ")";
}

OptionError unknown_level_error(const Table& table, const TableRecipe& recipe, const UnknownLevel& unknown) {
  const auto found = std::ranges::find(recipe.features, unknown.column, &ColumnRecipe::name);
  const auto& categories = (found == recipe.features.end() ? recipe.target : *found).categories;
  constexpr std::size_t shown = 8;
  std::string known;
  for (std::size_t i = 0; i < std::min(categories.size(), shown); ++i)
    known += (i == 0 ? "" : ", ") + (categories[i].empty() ? "none (the value is missing)" : categories[i]);
  if (categories.size() > shown) known += ", …";
  return {{"strict=false"},
          fmt::format("{}: '{}' does not occur in the rows of training, which have: {}; correct it, "
                      "train again with such rows, or let it be a level of its own",
                      table.place(unknown.row, unknown.column), unknown.label, known)};
}

namespace {
// OptionError where the rows, as numbers of the network, would not fit into the memory.
void require_room(const Table& table, const TableRecipe& recipe, const Rows& rows) {
  // Once to encode them, once for the data set.
  const std::size_t bytes = 2 * sizeof(double) * rows.size() * static_cast<std::size_t>(recipe.inputs());
  if (bytes <= memory_limit()) return;
  const ColumnRecipe& widest = *std::ranges::max_element(recipe.features, {}, &ColumnRecipe::width);
  throw OptionError(
      {"memory", "exclude=" + widest.name},
      fmt::format("table '{}': {} rows of {} numbers need {} bytes of memory, and there may be {}; column "
                  "'{}' alone becomes {} numbers a row: leave it out, or allow more",
                  table.path().string(), rows.size(), recipe.inputs(), bytes, memory_limit(), widest.name,
                  widest.width()));
}
}  // namespace

std::vector<double> encode_features(const Table& table, const TableRecipe& recipe, const Rows& rows) {
  require_room(table, recipe, rows);
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
