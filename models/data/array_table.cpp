#include "models/data/array_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "gradus/base/error.hpp"
#include "gradus/data/npy.hpp"
#include "gradus/data/npz.hpp"
#include "models/data/file_kind.hpp"

namespace gradus {

namespace {

// A column and where its numbers are.
struct Source {
  std::string name;
  std::size_t array;
  std::size_t offset;  // in a row of the array
};

class ArrayTable {
 public:
  ArrayTable(const std::filesystem::path& path, const ReadTableOptions& options)
      : path_(path), options_(options) {}

  void add(Array array, const std::string& name, bool is_alone) {
    const Extents& extents = array.tensor.extents;
    const std::string place = is_alone ? "the array" : fmt::format("array '{}'", name);
    if (extents.empty())
      fail(fmt::format("{} is a single number; expected one with a row per sample", place));
    if (arrays_.empty()) rows_ = extents[0];
    if (extents[0] < 1) fail(fmt::format("{} {} has no rows", place, to_string(extents)));
    if (extents[0] != rows_)
      fail(fmt::format("{} has {} rows, but those before have {}; all must have a row per sample", place,
                       extents[0], rows_));
    const std::size_t width = array.tensor.count() / static_cast<std::size_t>(rows_);
    for (std::size_t i = 0; i < width; ++i)
      sources_.push_back(
          {is_alone || extents.size() > 1 ? fmt::format("{}{}", name, i + 1) : name, arrays_.size(), i});
    arrays_.push_back(std::move(array));
  }

  Table table() const {
    if (sources_.empty()) fail("there are no numbers in it");
    std::unordered_map<std::string_view, const Source*> known;
    for (const Source& source : sources_)
      if (!known.emplace(source.name, &source).second)
        fail(fmt::format("two columns are called '{}'; rename an array", source.name));
    const auto find = [&](const std::string& name) {
      const auto found = known.find(name);
      if (found != known.end()) return found->second;
      std::vector<std::string> names;
      names.reserve(sources_.size());
      for (const Source& source : sources_) names.push_back(source.name);
      throw no_column(place(), name, names);
    };
    for (const auto* names : {&options_.text, &options_.numbers})
      for (const std::string& name : *names) find(name);
    std::vector<const Source*> wanted;
    for (const std::string& name : options_.columns) {
      if (std::ranges::count(options_.columns, name) > 1)
        fail(fmt::format("column '{}' is asked for twice", name));
      wanted.push_back(find(name));
    }
    if (options_.columns.empty())
      for (const Source& source : sources_) wanted.push_back(&source);
    std::vector<TableColumn> columns;
    for (const Source* source : wanted) columns.push_back(read(*source));
    return {path_, static_cast<std::size_t>(rows_), std::move(columns)};
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw Error(fmt::format("{}: {}", place(), why)); }
  std::string place() const { return fmt::format("table '{}'", path_.string()); }

  TableColumn read(const Source& source) const {
    const TensorBytes& array = arrays_[source.array].tensor;
    const auto rows = static_cast<std::size_t>(rows_);
    const std::size_t width = array.count() / rows;
    TableColumn column;
    column.name = source.name;
    column.numbers.resize(rows);
    if (width == 1) convert(array, 0, column.numbers);
    for (std::size_t row = 0; width > 1 && row < rows; ++row)
      convert(array, row * width + source.offset, std::span(column.numbers).subspan(row, 1));
    for (std::size_t row = 0; row < rows; ++row)
      if (!std::isfinite(column.numbers[row]))
        throw Error(
            fmt::format("{}: row {}: column '{}': {} is no finite number; correct it, or remove the row",
                        path_.string(), row, source.name, column.numbers[row]));
    if (std::ranges::find(options_.text, source.name) != options_.text.end()) make_text(column);
    return column;
  }

  static void make_text(TableColumn& column) {
    column.is_number = false;
    std::unordered_map<double, std::uint32_t> codes;
    for (const double number : column.numbers) {
      const auto [found, is_new] = codes.emplace(number, static_cast<std::uint32_t>(codes.size()));
      if (is_new) column.labels.push_back(fmt::format("{}", number));
      column.codes.push_back(found->second);
    }
    column.numbers.clear();
  }

  const std::filesystem::path& path_;
  const ReadTableOptions& options_;
  std::int64_t rows_ = 0;
  std::vector<Array> arrays_;
  std::vector<Source> sources_;
};

}  // namespace

Table parse_array_table(std::string_view bytes, const std::filesystem::path& path,
                        const ReadTableOptions& options) {
  ArrayTable table(path, options);
  if (kind_of(bytes) == FileKind::npz) {
    const NpzFile file(bytes, path);
    for (const std::string& name : file.names()) table.add(file.read(name), name, false);
  } else {
    table.add({parse_npy(bytes, fmt::format("NPY file '{}'", path.string())), nullptr}, "c", true);
  }
  return table.table();
}

Table read_array_table(const std::filesystem::path& path, const ReadTableOptions& options) {
  const MappedFile file(path, "table");
  return parse_array_table(file.bytes(), path, options);
}

}  // namespace gradus
