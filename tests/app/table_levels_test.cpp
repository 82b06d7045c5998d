// Levels that are numbers: one number is one level in all its spellings, formats and element types, and two
// numbers are two, however near.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "gradus/data/npz.hpp"
#include "models/data/number_text.hpp"
#include "tests/support/program.hpp"
#include "tests/support/table_forms.hpp"

namespace gradus {
namespace {

using test::Ran;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class TableLevels : public test::ProgramTest {
 protected:
  void levels(const std::vector<std::string>& labels, const std::string& name = "t.csv",
              const std::string& delimiter = ",") const {
    std::string text = "x" + delimiter + "k\n";
    for (std::size_t i = 0; i < 8 * labels.size(); ++i)
      text += std::to_string(i % 3) + delimiter + labels[i % labels.size()] + "\n";
    write(name, text);
  }
  // A model whose classes these are, and one of which they are a feature.
  void expect_levels(const std::string& data, std::size_t count, const std::string& options = "") const {
    const std::string number = std::to_string(count), all = "--epochs 1 --data " + data + " " + options;
    for (const std::string split : {"", " --stratify", " --in-order"})
      EXPECT_THAT(run("train mlp --target k --classify " + all + split).output,
                  HasSubstr(number + " classes of 'k'"))
          << data << options << split;
    const Ran ran = run("train mlp --target x --text k --save m " + all);
    EXPECT_THAT(ran.output, AllOf(HasSubstr("[B, " + number + "]"), Not(HasSubstr("only validation"))))
        << data;
    EXPECT_THAT(ran.output, testing::ContainsRegex("k       text +[0-9]+ +0 +" + number + " ")) << data;
  }
};

TEST_F(TableLevels, ThatDifferStayApart) {
  for (const auto& labels : std::vector<std::vector<std::string>>{
           {"9007199254740992", "9007199254740993"},
           {"1152921504606846976", "1152921504606846977", "1152921504606846978"},
           {"123456789012345678901234567890", "123456789012345678901234567891"},
           {"0.1", "0.1000000000000000001"},
           {"1e400", "1e401"},
           {"1e-400", "1e-401", "0"},
           {"007", "07", "7"},
           {"1e5", "1f5", "100000"},
           {"1.1", "1.10", "1.10.2"},
           {"-5", "5"},
           {"1", "inf", "x"}})
    for (const bool reversed : {false, true}) {
      levels(reversed ? std::vector(labels.rbegin(), labels.rend()) : labels);
      expect_levels("t.csv", labels.size());
    }
}

TEST_F(TableLevels, AreOneInAllSpellings) {
  for (const auto& other : std::vector<std::vector<std::string>>{{"3"}, {"NA"}, {"other"}, {"none", "NA"}}) {
    std::vector<std::string> labels{"1", "1.0", "1.00", "+1", "1e0", "10e-1", "2", "2.0", "0.02e2", "2."};
    labels.insert(labels.end(), other.begin(), other.end());
    levels(labels);
    expect_levels("t.csv", 2 + other.size());
    ASSERT_EQ(run("train mlp --data t.csv --target x --text k --epochs 1 --save m").status, 0);
    std::string text = "k\n";
    for (const std::string& label : labels) text += label + "\n";
    write("p.csv", text);
    EXPECT_THAT(run("predict m --data p.csv --strict").output, testing::StartsWith("prediction\n"));
    write("p.csv", "k\n4\n4.0\n4e0\n5\n");
    EXPECT_THAT(
        run("predict m --data p.csv").output,
        HasSubstr("'4' does not occur in the rows of training; it is taken for none of the known levels (3 "
                  "rows, and 1 other levels)"));
  }
  levels({"1", "1.000", "1.000,0", "1,0"}, "t.csv", ";");
  expect_levels("t.csv", 2, "--delimiter ';' --decimal , --thousands .");
  levels({"1,5", "1,50", "2", "2,0"}, "t.csv", ";");
  expect_levels("t.csv", 2, "--delimiter ';' --decimal ,");
  levels({"1 000", "1000", "1", "1.0"}, "t.csv", ";");
  expect_levels("t.csv", 2, "--delimiter ';' --thousands space");
}

TEST_F(TableLevels, OfArraysHaveTheDigitsOfTheirType) {
  const auto rows = [](const auto& values) {
    auto all = values;
    for (int i = 0; i < 7; ++i) all.insert(all.end(), values.begin(), values.end());
    return all;
  };
  const auto expect = [&](ElementType type, const auto& values, const std::vector<std::string>& spelled) {
    const auto all = rows(values);
    const auto count = static_cast<std::int64_t>(all.size());
    std::vector<double> x(all.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i % 3);
    write_npz(file("t.npz"), std::vector{tensor_bytes("x", {count}, x),
                                         TensorBytes{"k", type, {count}, std::as_bytes(std::span(all))}});
    expect_levels("t.npz", values.size());
    // The model knows them as people write them.
    std::string text = "k\n";
    for (const std::string& each : spelled) text += each + "\n";
    write("p.csv", text);
    EXPECT_THAT(run("predict m --data p.csv --strict").output, testing::StartsWith("prediction\n"))
        << name_of(type);
  };
  expect(ElementType::i64, std::vector<std::int64_t>{1LL << 60, (1LL << 60) + 1, INT64_MIN, INT64_MIN + 1},
         {"1152921504606846976", "1152921504606846977", "-9223372036854775808", "-9223372036854775807"});
  expect(ElementType::u64, std::vector<std::uint64_t>{UINT64_MAX, UINT64_MAX - 1},
         {"18446744073709551615", "18446744073709551614"});
  expect(ElementType::i8, std::vector<std::int8_t>{-3, 3}, {"-3", "3.0"});
  expect(ElementType::f32, std::vector<float>{0.1F, 0.3F, 16777216.0F, 1e-20F},
         {"0.1", "0.30", "16777216", "1e-20"});
  expect(ElementType::f64, std::vector<double>{0.1, 0.3, 1e22, 1e-7}, {"0.1", "0.30", "1e22", "0.0000001"});
  expect(ElementType::f16, std::vector<std::uint16_t>{0x2E66, 0x34CD, 0x3C00}, {"0.1", "0.3", "1"});
  expect(ElementType::boolean, std::vector<std::uint8_t>{0, 1}, {"0", "1"});
}

// A model of one file answers every other in the same way.
TEST_F(TableLevels, AreTheSameInEveryFormat) {
  const std::vector<std::string> values{"0.1", "0.25", "3", "1000000", "-7.5"};
  std::vector<std::string> x, y;
  for (std::size_t i = 0; i < 40; ++i) {
    x.push_back(values[i % values.size()]);
    y.push_back(values[i % 2]);
  }
  const auto forms = test::write_forms(folder_, "t", x, y);
  for (const std::string precision : {"float", "double"}) {
    std::set<std::string> answers;
    for (const auto& form : forms) {
      ASSERT_EQ(run("train mlp --data " + form.file + form.options + " --target " + form.y + " --text " +
                    form.x + " --classify --epochs 2 --save m --precision " + precision)
                    .status,
                0);
      for (const auto& other : forms) {
        if (other.x != form.x) continue;
        const Ran ran = run("predict m --strict --data " + other.file +
                            (other.decimal == ',' ? other.options : " --delimiter , --decimal ."));
        EXPECT_EQ(ran.status, 0) << ran.output;
        answers.insert(ran.output);
      }
    }
    EXPECT_EQ(answers.size(), 1U) << precision;
  }
}

TEST(ExactNumber, HasOneSpelling) {
  for (const auto& same : std::vector<std::vector<std::string>>{
           {"0", "-0", "0.000", "0e9", "+0", "000", ".0", "0."},
           {"1", "1.0", "+1", "01", "1e0", "0.1e1", "10e-1", " 1 "},
           {"-0.5", "-.5", "-5e-1", "-0.50"},
           {"100000000000000000000", "1e20", "1E+20", "100000000000000000000.0"},
           {"1e+25", "10000000000000000000000000", "0.1e26"},
           {"1e-09", "0.000000001", "1e-9", "10e-10"},
           {"1.5e-400", "15e-401"}})
    for (const std::string& text : same) EXPECT_EQ(exact_number(text), same.front()) << text;
  for (const char* none : {"", "-", "+", ".", "e5", "1e", "1e+", "+-1", "--1", "1 2", "1,5", "inf", "nan",
                           "0x1", "a", "1e9999999999999999999", "1.2.3"})
    EXPECT_EQ(exact_number(none), std::nullopt) << none;
  EXPECT_EQ(exact_number("1.234,5", {',', '.'}), "1234.5");
  EXPECT_EQ(exact_number("1.23,5", {',', '.'}), std::nullopt);
  for (const char* code : {"007", "00", "-01", "01.5"}) EXPECT_EQ(category_of(code), code);
  EXPECT_EQ(category_of("0.500", {',', '.'}), "0.500");
  double x = 1.2e-300;
  for (int i = 0; i < 190; ++i, x *= -1234.56789)
    for (const char* form : {"%.17g", "%.3e", "%.40f"}) {
      char text[512];
      std::snprintf(text, sizeof text, form, x);
      EXPECT_EQ(number_of(exact_number(text).value()), number_of(text)) << text;
    }
}

}  // namespace
}  // namespace gradus
