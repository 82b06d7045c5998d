// Numbers of any size in tables: standardised, regressed and predicted where the element type holds them, and
// else an error or NA that names the place, never NaN.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "models/app/table/spread.hpp"
#include "tests/support/numbers.hpp"
#include "tests/support/program.hpp"
#include "tests/support/table_forms.hpp"

namespace gradus {
namespace {

using test::Ran;
using testing::AllOf;
using testing::AnyOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

const testing::Matcher<std::string> finite = Not(AnyOf(HasSubstr("nan"), HasSubstr("inf")));

class TableScales : public test::ProgramTest {
 protected:
  // Forty rows, y = 2x + 1 in units of these sizes, and further ones.
  std::vector<test::TableForm> forms(
      const std::string& x_size, const std::string& y_size,
      const std::vector<std::pair<std::string, std::string>>& more = {}) const {
    std::vector<std::string> x, y;
    for (int i = 0; i < 40; ++i) {
      x.push_back(std::to_string(i % 7 - 3) + x_size);
      y.push_back(std::to_string(2 * (i % 7 - 3) + 1) + y_size);
    }
    for (const auto& [each_x, each_y] : more) {
      x.push_back(each_x);
      y.push_back(each_y);
    }
    return test::write_forms(folder_, "t", x, y);
  }
  static std::string training(const test::TableForm& form, const std::string& precision) {
    return "train mlp --hidden 0 --rate 0.1 --data " + form.file + form.options + " --target " + form.y +
           " --precision " + precision + " ";
  }
};

bool holds(const test::TableForm& form, const std::string& size) {
  const double unit = std::strtod(("9" + size).c_str(), nullptr);
  return form.file.find("float") == std::string::npos || (unit < 1e38 && unit > 1e-37);
}

TEST_F(TableScales, DoNotChangeWhatIsLearnt) {
  for (const auto& [x_size, y_size] : std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                                                       {"e-170", "e-170"},
                                                                                       {"e-300", "e-320"},
                                                                                       {"e-307", ""},
                                                                                       {"e200", "e160"},
                                                                                       {"e30", "e-30"},
                                                                                       {"e307", "e307"}})
    for (const auto& form : forms(x_size, y_size)) {
      if (!holds(form, x_size) || !holds(form, y_size)) continue;
      for (const std::string precision : {"float", "double"}) {
        const Ran ran = run(training(form, precision) + "--epochs 200 --save m");
        EXPECT_EQ(ran.status, 0) << form.file << x_size << ran.output;
        EXPECT_THAT(ran.output,
                    AllOf(HasSubstr("training:   R² 1.0000"), HasSubstr("validation: R² 1.0000"), finite))
            << form.file << x_size << y_size;
        write("p.csv", form.x + "\n2" + x_size + "\n");
        const std::string answer = run("predict m --delimiter , --decimal . --data p.csv").output;
        const double right = std::strtod(("5" + y_size).c_str(), nullptr);
        EXPECT_NEAR(std::strtod(answer.c_str() + answer.find('\n'), nullptr) / right, 1, 2e-2)
            << form.file << answer;
      }
    }
}

// A number that the type does not hold as the network is given it is an error before the training.
TEST_F(TableScales, BeyondTheTypeAreErrorsBeforeTheTraining) {
  struct Case {
    std::string x, y, column, options;
    bool in_double = true;  // a double holds it
  };
  for (const auto& [x, y, column, options, in_double] :
       std::vector<Case>{{"1e60", "3", "x", "--in-order"},
                         {"-1e60", "3", "x", "--in-order"},
                         {"3", "1e60", "y", "--in-order"},
                         {"1e300", "3", "x", "--raw"},
                         {"1e39", "3", "x", "--raw --in-order"},
                         {"1e308", "3", "x", "--in-order", false}})
    for (const auto& form : forms(options == "--in-order" && !in_double ? "e-1" : "", "", {{x, y}})) {
      if (form.file.find("float") != std::string::npos) continue;
      const std::string place = form.file + (form.file.ends_with(".csv") ? ":42" : ": row 40") +
                                ": column '" + (column == "x" ? form.x : form.y) + "': ";
      const Ran ran = run(training(form, "float") + "--epochs 1 --save m " + options);
      EXPECT_NE(ran.status, 0);
      EXPECT_THAT(ran.output,
                  AllOf(HasSubstr(place), HasSubstr("is beyond what a network of floats can be given"),
                        Not(HasSubstr("loss:")), finite));
      EXPECT_EQ(ran.output.find("--precision double") != std::string::npos, in_double) << ran.output;
      EXPECT_FALSE(std::filesystem::exists(file("m")));
      const Ran wide = run(training(form, "double") + "--epochs 1 " + options);
      if (in_double)
        EXPECT_THAT(wide.output, Not(HasSubstr("is beyond what")));
      else
        EXPECT_THAT(wide.output, AllOf(HasSubstr(place), HasSubstr("of doubles")));
    }
}

TEST_F(TableScales, OfWeightsAreLookedAt) {
  std::string text = "x,y,w\n";
  for (int i = 0; i < 40; ++i)
    text += std::to_string(i % 7) + "," + std::to_string(i % 7) + (i == 7 ? ",1e300\n" : ",1\n");
  write("t.csv", text);
  const std::string train = "train mlp --data t.csv --target y --weight w --epochs 1 --precision ";
  EXPECT_THAT(run(train + "float").output,
              HasSubstr("t.csv:9: column 'w': 1e+300 is beyond what a network of floats can be given"));
  // The square of its gradient is too large for a double.
  EXPECT_THAT(run(train + "double").output,
              HasSubstr("warning: t.csv:9: column 'w': the square of 1e+300 is beyond a double"));
  EXPECT_THAT(run(train + "double").output,
              AllOf(HasSubstr("the first step is not finite, before anything was learnt"),
                    Not(HasSubstr("learning rate"))));
}

// The learning rate is to blame where it is, and only there.
TEST_F(TableScales, TellADivergenceFromNumbersThatAreTooLarge) {
  for (const auto& form : forms("", "", {{"1e30", "3"}})) {
    if (form.file.ends_with(".npy")) continue;
    for (const std::string optimizer : {"adam", "sgd"}) {
      EXPECT_THAT(
          run("train mlp --data " + form.file + form.options + " --target " + form.y +
              " --validation-split 0 --batch 100 --raw --rate 1e-9 --optimizer " + optimizer)
              .output,
          AllOf(ContainsRegex("warning: " + form.file +
                              "[^\n]*: column 'x': the square of 1[^ ]*e.30 is beyond a float[^\n]*no --raw, "
                              "--precision double"),
                HasSubstr("numbers of the data are too large; bring them nearer to 1, or compute in double"),
                Not(HasSubstr("learning rate"))));
    }
  }
  for (const auto& form : forms("", ""))
    EXPECT_THAT(run("train mlp --data " + form.file + form.options + " --target " + form.y +
                    " --optimizer sgd --rate 1e9")
                    .output,
                HasSubstr("the training diverged; try a smaller learning rate"));
}

std::vector<std::string> lines_in(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Each row of a prediction is finite or NA, and the others do not notice.
TEST_F(TableScales, ArePredictedOrNa) {
  const std::vector<std::string> values{"1",     "1e30",   "1e38",    "-3e38", "1e39",
                                        "1e100", "-1e308", "1.7e308", "2"};
  const auto train_forms = forms("", "");
  for (const std::string precision : {"float", "double"})
    for (const std::string model :
         {"--hidden 0", "--hidden 8", "--hidden 8,8 --activation tanh", "--hidden 8 --norm layer",
          "--hidden 8 --classify", "--hidden 4 --classify --raw", "--hidden 8 --raw"}) {
      ASSERT_EQ(
          run("train mlp --data t.csv --target y --epochs 2 --save m --precision " + precision + " " + model)
              .status,
          0);
      const auto answered = test::write_forms(folder_, "p", values, values);
      for (const auto& form : answered) {
        if (form.x != "x" || form.file.find("float") != std::string::npos) continue;
        const Ran ran = run("predict m --output o.csv --data " + form.file + form.options);
        const std::vector<std::string> lines = lines_in(read("o.csv"));
        ASSERT_EQ(lines.size(), values.size() + 1);
        EXPECT_THAT(read("o.csv"), finite) << model;
        write("one.csv", "x\n1\n2\n");
        const auto alone = lines_in(run("predict m --data one.csv --delimiter , --decimal .").output);
        EXPECT_EQ(lines[1], alone[1]) << model;
        EXPECT_EQ(lines.back(), alone[2]) << model;
        const bool has_none = read("o.csv").find("NA") != std::string::npos;
        EXPECT_EQ(has_none, precision == "float" || ran.output.find("NA") != std::string::npos)
            << model << precision;
        // Written in any case, but not as if nothing had been.
        EXPECT_EQ(ran.status, has_none ? 1 : 0) << ran.output;
        if (!has_none) continue;
        EXPECT_THAT(ran.output,
                    ContainsRegex("gradus: p[^:]*: ?[a-z0-9 ]*: column 'x': [^\n]*the answer is NA"));
        const Ran strict = run("predict m --strict --data " + form.file + form.options);
        EXPECT_NE(strict.status, 0);
        EXPECT_THAT(strict.output, AllOf(HasSubstr("column 'x'"), HasSubstr("(no --strict)")));
      }
    }
}

// Options that contradict each other are an error in every format, before the file is read.
TEST_F(TableScales, ARegressionOfTextIsAContradiction) {
  write("w.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n");
  auto all = forms("", "");
  all.push_back({"w.csv", "", "x", "y", '.'});
  for (const auto& form : all) {
    const Ran ran = run(training(form, "float") + "--epochs 1 --regress --save m --text " + form.y);
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.output,
                AllOf(HasSubstr("column '" + form.y + "' is the target of a regression and is to be read"),
                      HasSubstr("(--text " + form.y + ", --regress)")));
    EXPECT_FALSE(std::filesystem::exists(file("m")));
    if (form.file == "w.csv") continue;
    EXPECT_EQ(run(training(form, "float") + "--epochs 1 --regress --text " + form.x).status, 0);
  }
}

TEST(Spread, IsThatOfAnyScale) {
  const std::vector<double> base{1, 2, 4, -3, 0.5, 7.25};
  const Spread spread = spread_of(base);
  EXPECT_NEAR(spread.mean, 1.9583333333333333, 1e-15);
  EXPECT_NEAR(spread.deviation, 3.1570577899191026, 1e-14);
  for (const int exponent : {-900, -500, -1, 1, 300, 1000, 1020}) {
    std::vector<double> scaled;
    for (const double x : base) scaled.push_back(std::ldexp(x, exponent));
    EXPECT_EQ(spread_of(scaled).mean, std::ldexp(spread.mean, exponent)) << exponent;
    EXPECT_EQ(spread_of(scaled).deviation, std::ldexp(spread.deviation, exponent)) << exponent;
  }
  constexpr double most = std::numeric_limits<double>::max(),
                   least = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(spread_of(std::vector{most, -most}).deviation, most);
  EXPECT_NEAR(spread_of(std::vector{most, -most, -most, -most}).mean / most, -0.5, 1e-15);
  EXPECT_GT(spread_of(std::vector{0.0, least}).deviation, 0);
  EXPECT_FALSE(spread_of(std::vector{0.0, least}).is_constant());
}

TEST(Spread, TellsAConstantFromSmallDifferences) {
  for (const double value : {0.0, 0.1, -3e200, 1e-310, 1.7e18, 1e308}) {
    const Spread spread = spread_of(std::vector<double>(1001, value));
    EXPECT_EQ(spread.mean, value);
    EXPECT_EQ(spread.deviation, 0);
    EXPECT_TRUE(spread.is_constant());
  }
  EXPECT_TRUE(spread_of(std::vector{0.3, 0.1 + 0.2}).is_constant());
  // Nanoseconds since 1970, a microsecond apart.
  std::vector<double> times;
  for (int i = 0; i < 100; ++i) times.push_back(1.7e18 + 1024.0 * i);
  EXPECT_FALSE(spread_of(times).is_constant());
  EXPECT_NEAR(spread_of(times).deviation, 1024 * 28.866, 1);
  EXPECT_EQ(root_mean_square(std::vector<double>{}), 0);
  EXPECT_EQ(root_mean_square(std::vector{3e-200, -3e-200}), 3e-200);
}

}  // namespace
}  // namespace gradus
