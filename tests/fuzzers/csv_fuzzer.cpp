// Fuzzes parse_csv: whatever bytes a file holds, they are a table that is written the same again, or are
// refused with gradus::Error. The first byte chooses delimiter and header. LENGTH is 512; how to run it is in
// support.hpp.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>

#include "gradus/data/csv.hpp"
#include "models/data/utf8.hpp"
#include "support.hpp"

namespace gradus::fuzz {
namespace {

void check(const Table& table) {
  require(table.rows() > 0, "a table has no rows");
  for (const TableColumn& column : table.columns()) {
    require((column.is_number ? column.numbers.size() : column.codes.size()) == table.rows(),
            "a column has not as many values as there are rows");
    for (const double number : column.numbers) require(std::isfinite(number), "a number is not finite");
    for (const std::uint32_t code : column.codes) require(code < column.labels.size(), "a code has no label");
    for (const std::string& label : column.labels) require(is_utf8(label), "a label is not UTF-8");
    require(table.place(table.rows() - 1, column.name).starts_with("f:"), "a place names no file");
  }
}

std::string written(const Table& table, ReadTableOptions& options) {
  std::string text;
  const auto end_field = [&](std::size_t i) {
    text += i + 1 == table.columns().size() ? '\n' : options.delimiter;
  };
  for (std::size_t i = 0; i < table.columns().size(); ++i) {
    const TableColumn& column = table.columns()[i];
    text += csv_field(column.name, options.delimiter);
    if (!column.is_number) options.text.push_back(column.name);
    end_field(i);
  }
  for (std::size_t row = 0; row < table.rows(); ++row)
    for (std::size_t i = 0; i < table.columns().size(); ++i) {
      const TableColumn& column = table.columns()[i];
      text += column.is_number ? fmt::format("{}", column.numbers[row])
                               : csv_field(column.labels[column.codes[row]], options.delimiter);
      end_field(i);
    }
  return text;
}

void fuzz(std::string_view text, ReadTableOptions options) {
  const auto table = read([&] { return parse_csv(text, "f", options); }, "f:", "CSV file 'f': ");
  if (!table) return;
  check(*table);
  options.header = options.names_are_numbers = true;
  const std::string text_again = written(*table, options);
  const Table again = parse_csv(text_again, "f", options);
  require(again.rows() == table->rows() && again.columns().size() == table->columns().size(),
          "a table has another size when it is written again");
  for (std::size_t i = 0; i < again.columns().size(); ++i) {
    const TableColumn &a = again.columns()[i], &b = table->columns()[i];
    require(a.name == b.name && a.is_number == b.is_number && a.numbers == b.numbers && a.codes == b.codes &&
                a.labels == b.labels,
            "a column is not the same when it is written again");
  }
}

}  // namespace
}  // namespace gradus::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::array<char, 4> delimiters{',', ';', '\t', ' '};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  gradus::fuzz::fuzz(text, {.delimiter = delimiters[data[0] % 4U], .header = (data[0] & 4U) == 0});
  return 0;
}
