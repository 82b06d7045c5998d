// Tables as people have them: trained, reported and predicted as they are; and broken ones, of which each
// message names the cause and a remedy that works when it is followed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gradus/data/npz.hpp"
#include "gradus/data/tensor_file.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

using test::Ran;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Messy : public test::ProgramTest {
 protected:
  Ran trained(const std::string& arguments) const {
    const Ran ran = run("train mlp --data t.csv " + arguments);
    EXPECT_EQ(ran.status, 0) << ran.output;
    return ran;
  }
};

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string formatted(const char* form, double value) {
  char text[64];
  std::snprintf(text, sizeof text, form, value);
  return text;
}

// Flats in Europe: semicolons, decimal commas, thousands, dates with the day first, blanks, missing values.
std::string european() {
  std::string text = "Datum;Fläche;Zimmer;Art;Preis\n";
  for (int i = 0; i < 80; ++i) {
    const double size = 20 + 37 * i % 100 + 0.5, price = 30 * size + 200 * (i % 5);
    std::string cents = formatted("%.2f", price);
    cents = replaced(cents, ".", ",");
    if (price >= 1000) cents.insert(cents.size() - 6, ".");
    text += formatted("%02.0f", 1 + i % 28) + "." + formatted("%02.0f", 1 + i % 12) + ".2020; " +
            (i % 9 == 4 ? std::string() : replaced(formatted("%.1f", size), ".", ",")) + " ;" +
            std::to_string(1 + i % 5) + "; \"" + (i % 2 == 0 ? "Haus; klein" : "Wohnung") + "\" ;" + cents +
            "\n";
  }
  return text;
}

TEST_F(Messy, AEuropeanTableIsTrainedReportedAndPredicted) {
  write("t.csv", european());
  const Ran train = trained(
      "--target Preis --delimiter ';' --decimal , --thousands . --missing mean --epochs 60 --rate 0.02 "
      "--save m "
      "--out run");
  EXPECT_THAT(train.output, AllOf(HasSubstr("Datum   date        80        0       -  2020-01-01"),
                                  HasSubstr("Fläche  number      71        9       -  20.5"),
                                  HasSubstr("Art     text        80        0       2  Haus; klein, Wohnung"),
                                  HasSubstr("Preis   number      80        0       -  615"),
                                  HasSubstr("validation: R² 0.9")));
  EXPECT_THAT(read("run/report.html"),
              AllOf(HasSubstr("column Fläche"), HasSubstr("71 values, 9 missing"), HasSubstr("decimal")));
  // The model knows how the table is written.
  const Ran predict = run("predict m --data t.csv");
  EXPECT_EQ(predict.status, 0) << predict.output;
  EXPECT_EQ(lines_of(predict.output), 81U);
  EXPECT_THAT(predict.output, Not(HasSubstr("NA")));
}

// Customers: ids, rare levels, NA, thousands.
std::string customers() {
  std::string text = "id,town,income,age,buys\n";
  for (int i = 0; i < 200; ++i) {
    const int income = 20000 + 7919 * i % 60000;
    const std::string thousands = std::to_string(income / 1000) + ",";
    text += "A" + std::to_string(1000 + i) + "," +
            (i == 77      ? "Ushuaia"
             : i % 3 == 0 ? "Rome"
                          : "Paris") +
            ",\"" + thousands + formatted("%03.0f", income % 1000) + "\"," +
            (i % 20 == 3 ? "NA" : std::to_string(20 + i % 50)) + "," + (income > 50000 ? "yes" : "no") + "\n";
  }
  return text;
}

TEST_F(Messy, ATableOfIdsAndRareLevelsIsTrainedReportedAndPredicted) {
  write("t.csv", customers());
  const std::string options = "--target buys --thousands , --missing level --epochs 40 --rate 0.02 ";
  const Ran warned = trained(options + "--hidden 4");
  EXPECT_THAT(warned.output,
              AllOf(HasSubstr("warning: column 'id' has 200 levels in 200 rows: each is another, as an id"),
                    HasSubstr("(--exclude id)"), HasSubstr("age     number     190       10       -")));
  const Ran train = trained(options + "--exclude id --save m --out run");
  EXPECT_THAT(train.output, AllOf(HasSubstr("income  number     200        0       -  20000, 27919"),
                                  HasSubstr("validation: accuracy 0.9"), Not(HasSubstr("warning"))));
  EXPECT_THAT(read("run/report.html"), HasSubstr("<td>level</td>"));
  const Ran predict = run("predict m --data t.csv");
  EXPECT_EQ(predict.status, 0) << predict.output;
  EXPECT_THAT(predict.output, AllOf(HasSubstr("prediction,p(no),p(yes)\n"), Not(HasSubstr("NA"))));
}

// Out of a spreadsheet: a byte order mark, sep=, CRLF, trailing delimiters, empty rows at the end.
std::string exported() {
  std::string text = "\xEF\xBB\xBFsep=;\r\nwhen;amount;kind;;\r\n";
  for (int i = 0; i < 60; ++i)
    text += "2021-0" + std::to_string(1 + i % 9) + "-1" + std::to_string(i % 10) + ";" +
            std::to_string(i % 2 * 5 + i % 3) + ";" + (i % 2 == 0 ? "\"in \"\"cash\"\"\"" : "card") +
            ";;\r\n";
  return text + ";;;;\r\n;;;;\r\n";
}

TEST_F(Messy, ASpreadsheetsExportIsTrainedReportedAndPredicted) {
  write("t.csv", exported());
  const Ran train = trained("--target kind --epochs 60 --rate 0.02 --save m --out run");
  EXPECT_THAT(train.output, AllOf(HasSubstr("t.csv: 60 rows"), HasSubstr("when    date"),
                                  HasSubstr("its first line says that ';' separates the columns"),
                                  HasSubstr("2 rows of empty fields"), HasSubstr("behind the last column"),
                                  HasSubstr("validation: accuracy 1.0")));
  EXPECT_THAT(read("run/report.html"), HasSubstr("60: 48 for training"));
  EXPECT_EQ(lines_of(run("predict m --data t.csv").output), 61U);
  // The delimiter that the file named is known to the model.
  write("new.csv", "amount;when\n0;2021-01-10\n");
  EXPECT_THAT(run("predict m --data new.csv").output, HasSubstr("\n\"in \"\"cash\"\"\","));
}

TEST_F(Messy, ALevelOfOneRowWorksWhateverTheSeed) {
  std::string text = "x,colour,kind\n";
  for (int i = 0; i < 200; ++i)
    text += std::to_string(i * 7 % 13) + "," +
            (i == 50      ? "rare"
             : i % 2 == 0 ? "red"
                          : "blue") +
            "," +
            (i == 120     ? "odd"
             : i % 2 == 0 ? "a"
                          : "b") +
            "\n";
  write("t.csv", text);
  std::size_t strict_failures = 0;
  for (int seed = 1; seed <= 12; ++seed) {
    const std::string options = "--target kind --epochs 1 --seed " + std::to_string(seed);
    EXPECT_THAT(trained(options).output, HasSubstr("3 classes of 'kind'"));
    strict_failures += run("train mlp --data t.csv --strict " + options).status == 0 ? 0 : 1;
  }
  EXPECT_GT(strict_failures, 0U);
  EXPECT_LT(strict_failures, 12U);
  EXPECT_THAT(trained("--target kind --epochs 1 --stratify --seed 5").output, HasSubstr("(160 rows)"));
}

TEST_F(Messy, AnUnknownLevelOrAMissingValueCostsNoOtherRowItsAnswer) {
  write("t.csv", "x,colour,kind\n1,red,a\n2,blue,b\n3,red,a\n4,blue,b\n5,red,a\n6,blue,b\n");
  trained("--target kind --epochs 60 --rate 0.05 --validation-split 0 --save m");
  write("p.csv", "x,colour\n1,red\n2,green\n,red\n4,blue\n");
  const Ran predict = run("predict m --data p.csv --output o.csv");
  EXPECT_EQ(predict.status, 0) << predict.output;
  EXPECT_THAT(predict.output, AllOf(HasSubstr("p.csv:3: column 'colour': 'green' does not occur"),
                                    HasSubstr("p.csv:4: column 'x': the value is missing")));
  EXPECT_THAT(read("o.csv"),
              testing::MatchesRegex("prediction,p.a.,p.b.\na,[^\n]*\n[ab],[^\n]*\nNA,,\nb,[^\n]*\n"));
  // What is said does not grow with the table.
  std::string many = "x,colour\n";
  for (int i = 0; i < 500; ++i) many += i % 2 == 0 ? ",red\n" : "1,c" + std::to_string(i) + "\n";
  write("many.csv", many);
  EXPECT_THAT(run("predict m --data many.csv --output o.csv").output,
              AllOf(HasSubstr("(and 249 other levels)"), HasSubstr("the answer is NA (250 rows)"),
                    testing::ResultOf(lines_of, 2U)));
  EXPECT_THAT(run("predict m --data p.csv --strict").output,
              AllOf(HasSubstr("p.csv:3: column 'colour': 'green'"), HasSubstr("blue, red"),
                    HasSubstr("(no --strict)")));
}

// What the training learnt of missing values is in the model.
TEST_F(Messy, EachTreatmentOfMissingValuesIsKeptInTheModel) {
  std::string text = "x,colour,kind\n";
  for (int i = 0; i < 60; ++i)
    text += (i % 7 == 3 ? std::string("-") : std::to_string(i % 2 * 4 + i % 3)) + "," +
            (i % 11 == 5  ? ""
             : i % 3 == 0 ? "red"
                          : "blue") +
            "," + (i % 2 == 0 ? "a" : "b") + "\n";
  write("t.csv", text);
  write("p.csv", "x,colour\n,red\n4,\n4,red\n");
  for (const std::string missing : {"drop", "mean", "level"}) {
    const Ran train = trained("--target kind --epochs 1 --save m --missing " + missing);
    EXPECT_EQ(train.output.find("are left out") != std::string::npos, missing == "drop");
    const Ran predict = run("predict m --data p.csv --output o.csv");
    EXPECT_EQ(predict.status, 0) << predict.output;
    EXPECT_EQ(replaced(read("o.csv"), "NA,,", "").size() != read("o.csv").size(), missing == "drop")
        << missing;
  }
  EXPECT_THAT(run("train mlp --data t.csv --target kind --epochs 1").output,
              HasSubstr("(--missing drop, --missing mean, --missing level)"));
}

// Version 0.1.0 wrote neither how the table is written nor what becomes of missing values.
TEST_F(Messy, OldRecipesStayReadable) {
  write("t.csv", "x,colour,kind\n1,red,a\n2,blue,b\n3,red,a\n4,blue,b\n5,red,a\n6,blue,b\n");
  trained("--target kind --epochs 3 --save m");
  const TensorFile model(file("m"));
  auto metadata = model.metadata();
  auto recipe = nlohmann::json::parse(metadata.at("recipe"));
  EXPECT_EQ(recipe.erase("format") + recipe.erase("missing"), 2U);
  metadata["recipe"] = recipe.dump();
  write_tensors(file("old"), model.tensors(), metadata);
  const Ran predict = run("predict old --data t.csv");
  EXPECT_EQ(predict.status, 0);
  EXPECT_EQ(predict.output, run("predict m --data t.csv").output);
}

TEST_F(Messy, ALabelIsOneCategoryInCsvAndNpz) {
  std::string text = "x,kind\n";
  std::vector<double> x, kind;
  for (int i = 0; i < 40; ++i) {
    text += std::to_string(i % 2) + (i % 4 == 1 ? ",2.0\n" : i % 2 == 1 ? ",2\n" : ",1.0\n");
    x.push_back(i % 2);
    kind.push_back(1 + i % 2);
  }
  write("t.csv", text);
  write_npz(folder_ / "t.npz", std::vector{tensor_bytes("x", {40}, x), tensor_bytes("kind", {40}, kind)});
  const std::string options = " --target kind --classify --epochs 30 --rate 0.05 --save ";
  ASSERT_EQ(run("train mlp --data t.npz" + options + "n").status, 0);
  EXPECT_THAT(run("train mlp --data t.csv" + options + "c").output, HasSubstr("2 classes of 'kind'"));
  EXPECT_EQ(run("predict n --data t.csv").output, run("predict c --data t.npz").output);
  EXPECT_THAT(run("predict c --data t.csv").output, testing::StartsWith("prediction,p(1),p(2)\n1,"));
}

TEST_F(Messy, AModelOfNoHiddenLayerIsLinear) {
  std::string text = "a,b,t\n";
  for (int i = 0; i < 50; ++i)
    text += std::to_string(i % 7) + "," + std::to_string(i % 5) + "," +
            std::to_string(3 * (i % 7) - 2 * (i % 5) + 1) + "\n";
  write("t.csv", text);
  const Ran train = trained("--target t --hidden 0 --epochs 300 --rate 0.05 --save m --out run");
  EXPECT_THAT(train.output, AllOf(HasSubstr("validation: R² 1.0000"), Not(HasSubstr("hidden1"))));
  EXPECT_THAT(read("run/report.html"), HasSubstr("A linear model that predicts"));
  write("p.csv", "a,b\n10,1\n");
  const std::string answer = run("predict m --data p.csv").output;
  EXPECT_NEAR(std::stod(answer.substr(answer.find('\n') + 1)), 29, 0.1);
}

// A float has seven digits, the target ten.
TEST_F(Messy, LargeTargetsArePredictedInTheirOwnUnit) {
  std::string text = "x,t\n";
  for (int i = 0; i < 100; ++i) text += std::to_string(i) + "," + std::to_string(1700000000 + i) + "\n";
  write("t.csv", text);
  trained("--target t --hidden 0 --epochs 300 --rate 0.05 --save m");
  const std::string answers = run("predict m --data t.csv").output;
  double off = 0;
  std::size_t at = answers.find('\n') + 1;
  for (int i = 0; i < 100; ++i, at = answers.find('\n', at) + 1)
    off += std::abs(std::stod(answers.substr(at)) - (1700000000 + i)) / 100;
  EXPECT_LT(off, 0.2);
}

TEST_F(Messy, AConstantTargetHasNoRSquared) {
  write("t.csv", "x,t\n1,0.1\n2,0.1\n3,0.1\n4,0.1\n5,0.1\n6,0.1\n");
  EXPECT_THAT(trained("--target t --epochs 1").output,
              AllOf(HasSubstr("training:   R² not defined"), HasSubstr("validation: R² not defined"),
                    Not(HasSubstr("inf"))));
}

TEST_F(Messy, SplitsLeaveTheRowsThatTheirPartsSay) {
  for (const auto& [rows, split, training] : std::vector<std::tuple<int, std::string, std::string>>{
           {10, "0.9", "1"}, {5, "0.8", "1"}, {10, "0.8", "2"}, {100, "0.9", "10"}, {1000, "0.9", "100"}}) {
    std::string text = "x,t\n";
    for (int i = 0; i < rows; ++i) text += std::to_string(i) + "," + std::to_string(i % 7) + "\n";
    write("t.csv", text);
    EXPECT_THAT(trained("--target t --epochs 1 --validation-split " + split).output,
                HasSubstr("(" + training + " rows)\nvalidation"));
  }
}

// A misspelt target is found in the first line.
TEST_F(Messy, AMisspeltColumnIsNamedBeforeTheRowsAreRead) {
  write("t.csv", "size,rooms,price\n1,2,3\nthis line has, too, many, fields\n");
  EXPECT_THAT(
      run("train mlp --data t.csv --target prize").output,
      AllOf(HasSubstr("no column 'prize'"), HasSubstr("did you mean 'price'?"), Not(HasSubstr("t.csv:3"))));
  EXPECT_THAT(run("train mlp --data t.csv --target price --exclude Rooms").output,
              HasSubstr("did you mean 'rooms'?"));
  EXPECT_THAT(run("train mlp --data t.csv --target price --features sise").output,
              HasSubstr("did you mean 'size'?"));
}

}  // namespace
}  // namespace gradus
