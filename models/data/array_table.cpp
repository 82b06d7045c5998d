#include "models/data/array_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "gradus/base/error.hpp"
#include "gradus/data/file_contents.hpp"
#include "gradus/data/npy.hpp"
#include "gradus/data/npz.hpp"
#include "models/data/column_kinds.hpp"
#include "models/data/element_text.hpp"
#include "models/data/file_kind.hpp"
#include "models/data/missing_marks.hpp"

namespace gradus {

namespace {

// A column and where its numbers are.
struct Source {
  std::string name;
  std::size_t array;
  std::size_t offset;  // in a row of the array
};

// Whether a column may be of the array of this name: "x", or "x12" for one of many.
bool may_be_of(std::string_view column, std::string_view array) {
  return column.starts_with(array) &&
         column.find_first_not_of("0123456789", array.size()) == std::string_view::npos;
}

class ArrayTable {
 public:
  ArrayTable(const std::filesystem::path& path, const ReadTableOptions& options)
      : path_(path), options_(options) {
    check_kinds(options);
    constexpr std::size_t most_digits = 20;  // of a column's number
    for (const std::string& name : options.columns) {
      const std::size_t stem = name.find_last_not_of("0123456789") + 1;  // 0 where there is none
      const std::size_t first = name.size() > most_digits ? name.size() - most_digits : 0;
      for (std::size_t size = std::max(stem, first); size <= name.size(); ++size)
        arrays_asked_for_.insert(name.substr(0, size));
    }
  }

  // Whether a column that is asked for may be of the array of this name.
  bool wants(std::string_view name) const {
    return options_.columns.empty() || arrays_asked_for_.contains(name);
  }

  // An array that cannot be read matters only to who asks for it.
  void add_unreadable(const std::string& name, const std::string& why) {
    unreadable_.emplace_back(name, why);
  }

  void add(Array array, const std::string& name, bool is_alone) {
    const std::string place = is_alone ? "the array" : fmt::format("array '{}'", name);
    arrays_.push_back(std::move(array));
    const Extents& extents = arrays_.back().tensor.extents;
    const bool has_rows = !extents.empty() && extents[0] > 0;
    const std::size_t width =
        has_rows ? arrays_.back().tensor.count() / static_cast<std::size_t>(extents[0]) : 0;
    for (std::size_t i = 0; i < width; ++i)
      sources_.push_back(
          {is_alone || extents.size() > 1 ? fmt::format("{}{}", name, i + 1) : name, arrays_.size() - 1, i});
    if (width == 0) empty_.emplace_back(name, arrays_.size() - 1);
    places_.push_back(place);
  }

  Table table() {
    require_wanted();
    std::vector<RawColumn> columns;
    const std::vector<const Source*> wanted = wanted_sources();
    choose_rows(wanted);
    const RowPlaces places(path_, {});
    for (const Source* source : wanted)
      if (!asked_.exclude.contains(source->name) && has_rows(source->array))
        columns.push_back(read(*source, places));
    ReadTableOptions found = options_;
    found.style = {};  // labels are written as everywhere
    return table_of(places, static_cast<std::size_t>(rows_), std::move(columns), found, std::move(notes_));
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw Error(fmt::format("{}: {}", place(), why)); }
  std::string place() const { return fmt::format("table '{}'", path_.string()); }
  std::string extents_text(std::size_t array) const { return to_string(arrays_[array].tensor.extents); }

  bool has_rows(std::size_t array) const {
    const Extents& extents = arrays_[array].tensor.extents;
    return !extents.empty() && extents[0] == rows_;
  }

  const Source* find(const std::string& name) const {
    if (const auto found = known_.find(name); found != known_.end()) return found->second;
    for (const auto& [array, why] : unreadable_)
      if (may_be_of(name, array)) throw Error(why);
    for (const auto& [array, number] : empty_)
      if (sources_.empty() || may_be_of(name, array)) fail_empty_array(number);
    if (sources_.empty() && unreadable_.empty()) fail("there are no numbers in it; save arrays of them");
    std::vector<std::string> names;
    for (const Source& source : sources_) names.push_back(source.name);
    throw no_column(place(), name, names);
  }

  // The columns that are asked for must be there; before anything else is looked at.
  void require_wanted() {
    for (const Source& source : sources_)
      if (!known_.emplace(source.name, &source).second)
        fail(fmt::format("two columns are called '{}'; rename an array", source.name));
    for (const auto* names : {&options_.complete, &options_.text, &options_.numbers, &options_.dates,
                              &options_.exclude, &options_.columns})
      for (const std::string& name : *names) find(name);
    NameSet asked;
    for (const std::string& name : options_.columns)
      if (!asked.insert(name).second) fail(fmt::format("column '{}' is asked for twice", name));
  }

  std::vector<const Source*> wanted_sources() const {
    std::vector<const Source*> wanted;
    for (const std::string& name : options_.columns) wanted.push_back(find(name));
    if (options_.columns.empty())
      for (const Source& source : sources_) wanted.push_back(&source);
    return wanted;
  }

  // A column that must be there says how many rows there are, and arrays of other lengths, or that cannot be
  // read, are left out. Without one, all that is read must fit.
  void choose_rows(const std::vector<const Source*>& wanted) {
    const bool all = options_.columns.empty();
    if (!options_.complete.empty()) {
      rows_ = arrays_[find(options_.complete.front())->array].tensor.extents[0];
      for (const auto& [name, why] : unreadable_)
        if (all) notes_.push_back(fmt::format("array '{}' is left out ({})", name, why));
      for (std::size_t i = 0; all && i < arrays_.size(); ++i)
        if (!has_rows(i))
          notes_.push_back(fmt::format("{} {} is left out, as '{}' has {} rows", places_[i], extents_text(i),
                                       options_.complete.front(), rows_));
      if (all) return;
    } else if (all && !unreadable_.empty()) {
      throw Error(unreadable_.front().second);
    }
    std::vector<std::size_t> used;
    for (const Source* source : wanted)
      if (!asked_.exclude.contains(source->name)) used.push_back(source->array);
    for (std::size_t i = 0; all && i < arrays_.size(); ++i) used.push_back(i);
    std::ranges::sort(used);
    for (const std::size_t array : used) require_rows(array);
    if (sources_.empty()) fail("there are no numbers in it");
  }

  [[noreturn]] void fail_empty_array(std::size_t array) const {
    const Extents& extents = arrays_[array].tensor.extents;
    if (extents.empty())
      fail(fmt::format("{} is a single number; expected one with a row per sample", places_[array]));
    fail(fmt::format("{} {} has no {}; save one with a row per sample", places_[array], extents_text(array),
                     extents[0] == 0 ? "rows" : "columns"));
  }

  void require_rows(std::size_t array) {
    const Extents& extents = arrays_[array].tensor.extents;
    if (extents.empty() || extents[0] < 1) fail_empty_array(array);
    if (rows_ == 0) rows_ = extents[0];
    if (extents[0] != rows_)
      fail(fmt::format("{} has {} rows, but those before have {}; all must have a row per sample",
                       places_[array], extents[0], rows_));
  }

  RawColumn read(const Source& source, const RowPlaces& places) const {
    const TensorBytes& array = arrays_[source.array].tensor;
    const auto rows = static_cast<std::size_t>(rows_);
    const std::size_t width = array.count() / rows;
    const auto text_of = [&](std::size_t row) { return element_text(array, row * width + source.offset); };
    RawColumn raw;
    TableColumn& column = raw.column;
    column.name = source.name;
    column.numbers.resize(rows);
    if (width == 1) convert(array, 0, column.numbers);
    for (std::size_t row = 0; width > 1 && row < rows; ++row)
      convert(array, row * width + source.offset, std::span(column.numbers).subspan(row, 1));
    const bool is_text = asked_.text.contains(source.name);
    const std::vector<double> marks = marks_in(array.type);
    // A double does not hold the digits of these.
    const bool is_long = array.type == ElementType::i64 || array.type == ElementType::u64;
    for (std::size_t row = 0; row < rows; ++row) {
      double& value = column.numbers[row];
      const bool is_marked = is_text && is_long ? marks_.have_label(text_of(row), {})
                                                : std::ranges::find(marks, value) != marks.end();
      if (!is_marked && std::isfinite(value)) continue;
      if (!is_marked) require_missing(value, source.name, places.place(row, source.name));
      if (!raw.first_missing) raw.first_missing = Sample{row, is_marked ? text_of(row) : "nan"};
      value = NAN;
    }
    column.is_date = asked_.dates.contains(source.name);
    if (is_text) make_text(column, text_of);
    return raw;
  }

  // The numbers that stand for missing values, as an array of this type holds them.
  std::vector<double> marks_in(ElementType type) const {
    std::vector<double> marks;
    for (const double number : marks_.numbers()) marks.push_back(in_type(number, type));
    return marks;
  }

  // A number that is not finite is a missing value, and may be.
  void require_missing(double value, const std::string& column, const std::string& place) const {
    if (std::isinf(value))
      throw Error(fmt::format("{}: {} is no finite number; correct it, or remove the row", place, value));
    if (options_.missing == MissingValues::error)
      throw OptionError(
          remedies_for_missing(column, options_),
          fmt::format(
              "{}: {} is no number; correct it, remove the row, or say what becomes of missing values", place,
              value));
  }

  template <class TextOf> static void make_text(TableColumn& column, const TextOf& text_of) {
    column.is_number = false;
    std::unordered_map<std::string, std::uint32_t> codes;
    for (std::size_t row = 0; row < column.numbers.size(); ++row) {
      const auto [found, is_new] = codes.emplace(std::isnan(column.numbers[row]) ? "" : text_of(row),
                                                 static_cast<std::uint32_t>(codes.size()));
      if (is_new) column.labels.push_back(found->first);
      column.codes.push_back(found->second);
    }
    column.numbers.clear();
  }

  const std::filesystem::path& path_;
  const ReadTableOptions& options_;
  const AskedColumns asked_{options_};
  NameSet arrays_asked_for_;  // of which a column that is asked for may be
  const MissingMarks marks_{options_};
  std::int64_t rows_ = 0;
  std::vector<Array> arrays_;
  std::vector<std::string> places_;  // of the arrays
  std::vector<Source> sources_;
  std::unordered_map<std::string_view, const Source*> known_;
  std::vector<std::pair<std::string, std::string>> unreadable_;  // name, and why
  std::vector<std::pair<std::string, std::size_t>> empty_;       // name, and place, of those without columns
  std::vector<std::string> notes_;
};

}  // namespace

Table parse_array_table(std::string_view bytes, const std::filesystem::path& path,
                        const ReadTableOptions& options) {
  ArrayTable table(path, options);
  if (kind_of(bytes) == FileKind::npy) {
    table.add(parse_npy(bytes, fmt::format("NPY file '{}'", path.string())), "c", true);
    return table.table();
  }
  const NpzFile file(bytes, path);
  for (const std::string& name : file.names()) {
    if (!table.wants(name)) continue;
    std::optional<Array> array;
    try {
      array = file.read(name);
    } catch (const Error& error) {
      table.add_unreadable(name, error.what());
    }
    if (array) table.add(std::move(*array), name, false);
  }
  return table.table();
}

Table read_array_table(const std::filesystem::path& path, const ReadTableOptions& options) {
  const FileContents file(path, "table");
  return parse_array_table(file.bytes(), path, options);
}

}  // namespace gradus
