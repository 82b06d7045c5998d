// Numbers that stand for missing values: the same in all their spellings and in every format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "gradus/data/csv.hpp"
#include "gradus/data/npz.hpp"
#include "gradus/data/read_table.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/program.hpp"
#include "tests/support/table_forms.hpp"

namespace gradus {
namespace {

using test::Ran;
using testing::AllOf;
using testing::HasSubstr;

class TableMarks : public test::ProgramTest {};

// Ten of forty are marked.
std::vector<std::string> marked(const std::vector<std::string>& marks) {
  std::vector<std::string> x;
  for (std::size_t i = 0; i < 40; ++i)
    x.push_back(i % 4 == 0 ? marks[i / 4 % marks.size()] : std::to_string(i % 7));
  return x;
}
std::vector<std::string> targets() {
  std::vector<std::string> y;
  for (int i = 0; i < 40; ++i) y.push_back(std::to_string(i % 7));
  return y;
}

TEST_F(TableMarks, AreTheSameInAllSpellingsFormatsAndTreatments) {
  const std::vector<std::vector<std::string>> numbers{{"-999", "-999.0", "-9.99e2", "-999.00"},
                                                      {"-1", "-1.0"},
                                                      {"99.5", "99.50", "+99.5", "9.95e1"},
                                                      {"1e30", "1.0E+30"},
                                                      {"-0.1", "-0.10"}};
  for (const auto& spellings : numbers)
    for (const auto& form : test::write_forms(folder_, "t", marked(spellings), targets()))
      for (const std::string& spelling : spellings) {
        const std::string train = "train mlp --data " + form.file + form.options + " --target " + form.y +
                                  " --epochs 1 '--na=" + spelling + "'";
        for (const std::string treatment : {"mean", "level", "drop"}) {
          const Ran ran = run(train + " --missing " + treatment);
          EXPECT_EQ(ran.status, 0) << ran.output;
          EXPECT_THAT(ran.output, treatment == "drop" ? testing::ContainsRegex("10 of 40 rows have no value")
                                                      : testing::ContainsRegex(form.x + " +number +30 +10 "))
              << form.file << spelling << ran.output;
        }
        EXPECT_THAT(run(train).output, AllOf(HasSubstr("column '" + form.x + "': the value is missing ('"),
                                             HasSubstr("in 10 of 40")))
            << form.file << spelling;
        EXPECT_THAT(run(train + " --missing mean --text " + form.x).output,
                    testing::ContainsRegex(form.x + " +text +30 +10 "))
            << form.file << spelling;
      }
}

TEST_F(TableMarks, AreKnownToTheModel) {
  for (const auto& form : test::write_forms(folder_, "t", marked({"-999"}), targets()))
    for (const std::string& options : std::vector<std::string>{" --missing mean", " --missing level",
                                                               " --missing level --text " + form.x}) {
      ASSERT_EQ(run("train mlp --data " + form.file + form.options + " --target " + form.y +
                    " --epochs 1 --na=-999 --save m" + options)
                    .status,
                0);
      write("p.csv", form.x + ",z\n-999,1\n-999.000,1\n-9.99e2,1\n,1\n");
      const std::string answers = run("predict m --data p.csv --delimiter , --decimal .").output;
      const std::size_t first = answers.find('\n') + 1, second = answers.find('\n', first) + 1;
      const std::string line = answers.substr(first, second - first);
      EXPECT_EQ(answers, "prediction\n" + line + line + line + line) << form.file << options;
    }
}

template <class T>
TensorBytes whole(const std::string& name, ElementType type, const std::vector<T>& values) {
  return {name, type, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values))};
}

std::vector<bool> missing_in(const Table& table, std::string_view column) {
  std::vector<bool> missing;
  for (std::size_t row = 0; row < table.rows(); ++row)
    missing.push_back(table.column(column).lacks_value(row));
  return missing;
}

// An array's element is the mark when the mark, as the array's type has it, is that.
TEST_F(TableMarks, AreOfTheArraysOwnType) {
  const std::vector<std::uint16_t> half{0x2E66, 0x3C00};  // 0.1, 1
  const std::vector<float> f32{0.1F, 1}, largest{-3.4028234663852886e38F, 1};
  const std::vector<double> f64{0.1, 1};
  const std::vector<std::int64_t> i64{INT64_MIN, INT64_MIN + 1};
  const std::vector<std::uint64_t> u64{UINT64_MAX, UINT64_MAX - 1};
  const std::vector<std::int8_t> i8{-99, 1};
  const std::vector<std::uint8_t> u8{255, 1};
  struct Case {
    TensorBytes array;
    std::vector<std::string> marks;
    bool only_text = false;  // doubles do not tell them apart
  };
  for (const auto& [array, marks, only_text] : std::vector<Case>{
           {whole("a", ElementType::f16, half), {"0.1", "1e-1"}},
           {whole("a", ElementType::f32, f32), {"0.1", "0.10000000149011612"}},
           {whole("a", ElementType::f32, largest), {"-3.4028235e38", "-3.4028234663852886e+38"}},
           {whole("a", ElementType::f64, f64), {"0.1", "0.10"}},
           {whole("a", ElementType::i8, i8), {"-99", "-99.0"}},
           {whole("a", ElementType::u8, u8), {"255"}},
           {whole("a", ElementType::i64, i64), {"-9223372036854775808"}, true},
           {whole("a", ElementType::u64, u64), {"18446744073709551615", "18446744073709551615.0"}, true}}) {
    write_npz(file("a.npz"), std::vector{array});
    for (const std::string& mark : marks)
      for (const bool text : {false, true}) {
        if (only_text && !text) continue;
        ReadTableOptions options{.na = {mark}, .missing = MissingValues::keep};
        if (text) options.text = {"a"};
        EXPECT_EQ(missing_in(read_table(file("a.npz"), options), "a"), (std::vector{true, false}))
            << name_of(array.type) << mark << text;
      }
  }
}

// A code is no number, a number is no word; words stay words.
TEST_F(TableMarks, LeaveCodesAndOtherNumbersAlone) {
  const Table codes = parse_csv("k\n007\n7\n7.0\na7\n", "t.csv",
                                {.text = {"k"}, .na = {"7"}, .missing = MissingValues::keep});
  EXPECT_EQ(missing_in(codes, "k"), (std::vector{false, true, true, false}));
  const Table numbers = parse_csv(
      "k;z\n1000;1\n1,000;1\n1;1\n?;1\n", "t.csv",
      {.delimiter = ';', .style = {'.', ','}, .na = {"1,000", "?"}, .missing = MissingValues::keep});
  EXPECT_EQ(missing_in(numbers, "k"), (std::vector{true, true, false, true}));
  for (const std::string mark : {"-0,5", "-0.5", "-0,50", "-5e-1"})
    EXPECT_EQ(
        missing_in(
            parse_csv("k;z\n-0,5;1\n-0,50;1\n1,5;1\n", "t.csv",
                      {.delimiter = ';', .style = {',', '\0'}, .na = {mark}, .missing = MissingValues::keep}),
            "k"),
        (std::vector{true, true, false}))
        << mark;
}

}  // namespace
}  // namespace gradus
