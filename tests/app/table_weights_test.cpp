// `gradus train mlp` with weights of rows and of classes: what they do, and that everything else of a
// training goes with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/program.hpp"

namespace gradus {
namespace {

using test::Ran;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A row of a table: two features, a class or a number, and a weight as it is written.
struct Row {
  double x, y;
  std::string target, weight;
};

class TableWeights : public test::ProgramTest {
 protected:
  // Three classes of 24, 12 and 4 rows in turn, or a number; weights by the visitor.
  template <class Weight> std::vector<Row> rows(bool numbers, const Weight& weight) const {
    std::vector<Row> all;
    for (int i = 0; i < 40; ++i) {
      const int kind = i % 10 == 9 ? 2 : i % 10 >= 6 ? 1 : 0;
      const double x = kind + 0.7 * std::sin(i), y = std::cos(2 * i) - 0.3 * kind;
      all.push_back({x, y,
                     numbers ? std::to_string(3 * x - y) : std::string(1, static_cast<char>('a' + kind)),
                     weight(i, kind)});
    }
    return all;
  }
  void table(const std::string& name, const std::vector<Row>& all, bool weights = true) const {
    std::string text = weights ? "x,y,kind,w\n" : "x,y,kind\n";
    for (const Row& row : all)
      text += std::to_string(row.x) + ',' + std::to_string(row.y) + ',' + row.target +
              (weights ? ',' + row.weight : "") + '\n';
    write(name, text);
  }
  // The scores of each epoch.
  nlohmann::json trained(const std::string& options, const std::string& data = "t.csv") const {
    const Ran ran =
        run("train mlp --data " + data + " --target kind --precision double --history h.json " + options);
    EXPECT_EQ(ran.status, 0) << ran.output;
    return nlohmann::json::parse(read("h.json"))["history"];
  }
  static void expect_near(const nlohmann::json& a, const nlohmann::json& b, double factor = 1) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
      EXPECT_NEAR(a[i].get<double>(), factor * b[i].get<double>(),
                  1e-12 + 1e-9 * std::abs(a[i].get<double>()))
          << i;
  }
};

std::string none(int, int) { return "1"; }

// The first 32 rows are for training: 20, 9 and 3 of the classes.
std::string balancing(int, int kind) {
  const double counts[] = {20, 9, 3};
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", 32 / (3 * counts[kind]));
  return text;
}

TEST_F(TableWeights, BalancedIsTheSameAsExplicitWeights) {
  table("t.csv", rows(false, balancing));
  for (const char* options :
       {"--hidden 0 ", "--hidden 5 --norm batch ", "--hidden 4 --batch 7 --stratify "}) {
    const bool in_order = std::string(options).find("stratify") == std::string::npos;
    const std::string all =
        std::string(options) + "--epochs 4 --rate 0.05 " + (in_order ? "--in-order " : "");
    const auto balanced = trained(all + "--class-weight balanced --exclude w");
    if (in_order) {
      const auto explicitly = trained(all + "--weight w");
      for (const char* score : {"loss", "val_loss", "accuracy", "val_accuracy"})
        expect_near(balanced[score], explicitly[score]);
    }
    EXPECT_NE(balanced["loss"], trained(all + "--exclude w")["loss"]) << options;
  }
}

TEST_F(TableWeights, OfOneChangeNothing) {
  for (const bool numbers : {false, true}) {
    table("t.csv", rows(numbers, none));
    const std::string all = "--epochs 3 --hidden 4 ";
    const auto weighted = trained(all + "--weight w"), plain = trained(all + "--exclude w");
    for (const char* score : {"loss", "val_loss"}) expect_near(weighted[score], plain[score]);
  }
}

// Half of the rows have the weight 0: each step is half of that of the others alone.
TEST_F(TableWeights, OfZeroLeaveARowOut) {
  for (const bool numbers : {false, true}) {
    const auto all = rows(numbers, [](int i, int) { return std::string(i % 2 == 0 ? "1" : "0"); });
    std::vector<Row> half;
    for (const Row& row : all)
      if (row.weight == "1") half.push_back(row);
    if (!numbers) half.back().target = "c";  // so that the classes are the same
    auto same = all;
    if (!numbers) same[38].target = "c";
    table("t.csv", same);
    table("half.csv", half, false);
    const std::string options =
        "--raw --validation-split 0 --batch 100 --optimizer sgd --epochs 5 --hidden 3 ";
    const auto weighted = trained(options + "--rate 0.1 --weight w");
    const auto alone = trained(options + "--rate 0.05", "half.csv");
    if (numbers) {
      EXPECT_NE(weighted["loss"], alone["loss"]) << "the target is standardised over other rows";
      continue;
    }
    expect_near(weighted["loss"], alone["loss"], 0.5);
  }
}

TEST_F(TableWeights, OfRowsAndOfClassesMultiply) {
  const auto product = [](int i, int kind) {
    return std::to_string(std::stod(balancing(i, kind)) * (1 + i % 3));
  };
  table("t.csv", rows(false, [](int i, int) { return std::to_string(1 + i % 3); }));
  table("product.csv", rows(false, product));
  const std::string options = "--in-order --epochs 3 --hidden 4 --weight w ";
  const auto both = trained(options + "--class-weight balanced"),
             explicitly = trained(options, "product.csv");
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(both["loss"][i].get<double>(), explicitly["loss"][i].get<double>(), 1e-5);
}

// The weight is no feature, and a prediction does not want it.
TEST_F(TableWeights, LeaveFeaturesReportAndPredictionsAsTheyAre) {
  table("t.csv", rows(false, balancing));
  table("new.csv", rows(false, none), false);
  const Ran train = run(
      "train mlp --data t.csv --target kind --weight w --class-weight balanced --epochs 3 --save m --out o");
  ASSERT_EQ(train.status, 0) << train.output;
  EXPECT_THAT(train.output, AllOf(HasSubstr("40 rows, 2 features"), Not(HasSubstr("warning"))));
  const std::string report = read("o/report.html");
  EXPECT_NE(report.find("class weights</th><td>balanced</td>"), std::string::npos);
  EXPECT_NE(report.find("weight</th><td>w</td>"), std::string::npos);
  const Ran predict = run("predict m --data new.csv");
  EXPECT_EQ(predict.status, 0) << predict.output;
  EXPECT_EQ(run("predict m --data t.csv").output, predict.output);
  EXPECT_EQ(run("export m --onnx m.onnx").status, 0);
  // Named features need not be told from it.
  EXPECT_EQ(run("train mlp --data t.csv --target kind --features x --weight w --epochs 1").status, 0);
}

TEST_F(TableWeights, AreResumedAndNoOthers) {
  table("t.csv", rows(false, balancing));
  table("other.csv", rows(false, none));
  const std::string options =
      " --target kind --weight w --class-weight balanced --hidden 3 --checkpoint c --save ";
  ASSERT_EQ(run("train mlp --data t.csv --epochs 6" + options + "whole").status, 0);
  std::filesystem::remove(file("c"));
  ASSERT_EQ(run("train mlp --data t.csv --epochs 3" + options + "half").status, 0);
  ASSERT_EQ(run("train mlp --data t.csv --epochs 6 --resume" + options + "rest").status, 0);
  EXPECT_EQ(read("whole"), read("rest"));
  const Ran other = run("train mlp --data other.csv --epochs 9 --resume" + options + "x");
  EXPECT_NE(other.status, 0);
  EXPECT_THAT(other.output, HasSubstr("data"));
  EXPECT_NE(
      run("train mlp --data t.csv --target kind --weight w --hidden 3 --checkpoint c --epochs 9 --resume")
          .status,
      0);
}

TEST_F(TableWeights, GoWithMissingValues) {
  auto all = rows(false, balancing);
  table("t.csv", all);
  std::string text = read("t.csv");
  text += ",1,a,2\n1,1,a,\n1,2,,1\n";
  write("t.csv", text);
  const std::string train = "train mlp --data t.csv --target kind --weight w --epochs 1 ";
  const Ran drop = run(train + "--missing drop");
  EXPECT_EQ(drop.status, 0) << drop.output;
  EXPECT_THAT(drop.output, HasSubstr("40 rows, 2 features"));
  for (const char* missing : {"mean", "level"}) {
    const Ran ran = run(train + "--missing " + missing);
    EXPECT_NE(ran.status, 0);
    EXPECT_THAT(ran.output, HasSubstr("t.csv:43: column 'w': the weight is missing"));
  }
  EXPECT_THAT(run(train).output, HasSubstr("t.csv:4"));
}

TEST_F(TableWeights, ThatCannotBeAreErrorsOfTheirRows) {
  struct Wrong {
    std::string weight, message;
  };
  for (const auto& [weight, message] :
       {Wrong{"-1", "t.csv:5: column 'w': the weight is -1; it must be a"},
        Wrong{"heavy", "t.csv:5: column 'w': 'heavy' is not a number"},
        Wrong{"", "t.csv:5: column 'w': the value is missing"}, Wrong{"1e999", "t.csv:5: column 'w'"}}) {
    auto all = rows(false, none);
    all[3].weight = weight;
    table("t.csv", all);
    const Ran ran = run("train mlp --data t.csv --target kind --weight w --epochs 1 --save m");
    EXPECT_NE(ran.status, 0) << weight;
    EXPECT_THAT(ran.output, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(file("m")));
  }
}

TEST_F(TableWeights, ThatMakeNoSenseAreErrorsWithARemedy) {
  struct Wrong {
    std::string options, message;
  };
  table("t.csv", rows(true, none));
  for (const auto& [options, message] :
       {Wrong{"--weight kind", "column 'kind' is the target and cannot hold the rows' weights, too"},
        Wrong{"--weight x --exclude x", "column 'x' is left out"},
        Wrong{"--weight x --features x,y", "column 'x' is a feature"},
        Wrong{"--weight x --text x", "column 'x' is a text"},
        Wrong{"--weight v", "no column 'v'; there are: x, y, kind, w"},
        Wrong{"--class-weight balanced",
              "no classes to be balanced; do without, or classify it (no "
              "--class-weight, --classify)"},
        Wrong{"--class-weight even", "balanced"}}) {
    const Ran ran = run("train mlp --data t.csv --target kind --epochs 1 " + options);
    EXPECT_NE(ran.status, 0) << options;
    EXPECT_THAT(ran.output, HasSubstr(message));
  }
  table("t.csv", rows(false, [](int, int) { return std::string("0"); }));
  EXPECT_THAT(run("train mlp --data t.csv --target kind --epochs 1 --weight w").output,
              HasSubstr("the weights of all rows for training are 0"));
}

// A class that only validation rows have has nothing to be balanced by.
TEST_F(TableWeights, BalanceTheClassesThatTrainingHas) {
  std::string text = "x,kind\n";
  for (int i = 0; i < 20; ++i) text += std::to_string(i) + (i == 19 ? ",c" : i % 3 == 0 ? ",a" : ",b") + "\n";
  write("t.csv", text);
  const auto scores = trained("--class-weight balanced --in-order --epochs 2");
  EXPECT_EQ(scores["val_loss"].size(), 2U);
}

}  // namespace
}  // namespace gradus
