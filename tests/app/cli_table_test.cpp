// `gradus train mlp` and `gradus predict` on good tables and on bad ones. Every refusal names file, line,
// column and remedy, has an exit status that is not 0, and writes nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "gradus/data/npy.hpp"
#include "gradus/data/npz.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using test::Ran;
using testing::HasSubstr;

class Table : public test::ProgramTest {
 protected:
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
};

// Two clouds of points, told apart by a colour, too.
std::string clouds(int rows = 40) {
  std::ostringstream text;
  text << "x,y,colour,kind\n";
  for (int i = 0; i < rows; ++i) {
    const double side = i % 2 == 0 ? 1 : -1;
    text << side * (2 + std::sin(i)) << ',' << side + std::cos(i) << ','
         << (i % 2 == 0 ? "red" : "dark \"\"blue\"\"") << ',' << (i % 2 == 0 ? "a" : "b") << '\n';
  }
  std::string quoted = text.str();
  for (std::size_t at = 0; (at = quoted.find("dark", at)) != std::string::npos; at += 6)
    quoted.insert(at, "\"");
  for (std::size_t at = 0; (at = quoted.find("\"\",b", at)) != std::string::npos; at += 5)
    quoted.insert(at, "\"");
  return quoted;
}

TEST_F(Table, LearnsAndPredicts) {
  write("t.csv", clouds());
  const Ran train =
      run("train mlp --csv t.csv --target kind --hidden 8 --epochs 60 --rate 0.02 --save m.safetensors "
          "--history h.json");
  ASSERT_EQ(train.status, 0) << train.output;
  EXPECT_THAT(train.output,
              testing::AllOf(HasSubstr("2 classes of 'kind'"), HasSubstr("training:   accuracy 1.0"),
                             HasSubstr("validation: accuracy 1.0"), HasSubstr("saved m.safetensors")));
  const auto history = nlohmann::json::parse(read("h.json"));
  EXPECT_EQ(history["params"]["epochs"], 60);
  EXPECT_EQ(history["params"]["steps"], 1);
  EXPECT_EQ(history["params"]["validation_samples"], 8);
  for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"})
    EXPECT_EQ(history["history"][name].size(), 60U);
  // Other columns, another order, CRLF, a byte order mark.
  write("new.csv",
        "\xEF\xBB\xBF"
        "colour,more,y,x\r\nred,1,1,2\r\n\"dark \"\"blue\"\"\",2,-1,-2\r\n");
  const Ran predict = run("predict m.safetensors --csv new.csv --output p.csv");
  ASSERT_EQ(predict.status, 0) << predict.output;
  EXPECT_THAT(read("p.csv"),
              testing::MatchesRegex("prediction,p\\(a\\),p\\(b\\)\na,0\\.9[0-9]*,[^\n]*\nb,[^\n]*\n"));
  EXPECT_EQ(run("predict m.safetensors --csv new.csv").output, read("p.csv"));
}

TEST_F(Table, MayBeArraysAndTheModelToo) {
  std::vector<float> x;
  std::vector<double> kind;
  for (int i = 0; i < 40; ++i) {
    kind.push_back(i % 2);
    x.insert(x.end(),
             {static_cast<float>(i % 2 == 0 ? 2 + std::sin(i) : -2 - std::sin(i)), std::cos(i * 1.0F)});
  }
  const std::vector<TensorBytes> arrays{tensor_bytes("x", {40, 2}, x), tensor_bytes("kind", {40}, kind)};
  write_npz(folder_ / "t.npz", arrays);
  write_npy(folder_ / "x.npy", arrays[0]);
  const std::string train = "train mlp --data t.npz --target kind --classify --epochs 60 --rate 0.02 --save ";
  const Ran trained = run(train + "m.npz");
  ASSERT_EQ(trained.status, 0) << trained.output;
  EXPECT_THAT(trained.output, HasSubstr("validation: accuracy 1.0"));
  EXPECT_EQ(read("m.npz").substr(0, 2), "PK");
  const Ran predicted = run("predict m.npz --data t.npz");
  ASSERT_EQ(predicted.status, 0) << predicted.output;
  EXPECT_THAT(predicted.output, testing::StartsWith("prediction,p(0),p(1)\n0,0.9"));
  ASSERT_EQ(run(train + "m.safetensors").status, 0);
  EXPECT_EQ(run("predict m.safetensors --data t.npz").output, predicted.output);
  // The columns of an NPY file have no names of their own.
  const Ran unnamed = run("predict m.npz --data x.npy");
  EXPECT_NE(unnamed.status, 0);
  EXPECT_THAT(unnamed.output, HasSubstr("no column 'x1'; there are: c1, c2"));
}

TEST_F(Table, RegressesInTheTargetsOwnUnit) {
  std::string text = "a;b;t\n";
  for (int i = 0; i < 60; ++i)
    text += std::to_string(i % 10) + ";" + std::to_string(i / 10) + ";" +
            std::to_string(1000 + 50 * (i % 10) - 30 * (i / 10)) + "\n";
  write("t.csv", text);
  const Ran train =
      run("train mlp --csv t.csv --target t --delimiter ';' --epochs 200 --rate 0.02 --precision double "
          "--norm layer "
          "--save m");
  ASSERT_EQ(train.status, 0) << train.output;
  EXPECT_THAT(train.output, HasSubstr("validation: R² 0.9"));
  write("new.csv", "b;a\n2;5\n");
  const Ran predict = run("predict m --csv new.csv --delimiter ';'");
  ASSERT_EQ(predict.status, 0) << predict.output;
  EXPECT_NEAR(std::stod(predict.output.substr(predict.output.find('\n') + 1)), 1190, 40);
}

TEST_F(Table, TheSameSeedGivesTheSameModel) {
  write("t.csv", clouds());
  const std::string train =
      "train mlp --csv t.csv --target kind --epochs 5 --dropout 0.5 --norm batch --save ";
  ASSERT_EQ(run(train + "one").status, 0);
  ASSERT_EQ(run(train + "two").status, 0);
  ASSERT_EQ(run(train + "three --seed 2").status, 0);
  EXPECT_EQ(read("one"), read("two"));
  EXPECT_NE(read("one"), read("three"));
}

TEST_F(Table, GoesOnFromACheckpoint) {
  write("t.csv", clouds());
  const std::string train = "train mlp --csv t.csv --target kind --batch 8 --dropout 0.2 --checkpoint c ";
  ASSERT_EQ(run("train mlp --csv t.csv --target kind --batch 8 --dropout 0.2 --epochs 9 --save whole").status,
            0);
  ASSERT_EQ(run(train + "--epochs 4").status, 0);
  const Ran rest = run(train + "--epochs 9 --resume --save resumed");
  ASSERT_EQ(rest.status, 0) << rest.output;
  EXPECT_THAT(rest.output, testing::AllOf(HasSubstr("Epoch 5/9"), testing::Not(HasSubstr("Epoch 4/9"))));
  EXPECT_EQ(read("whole"), read("resumed"));
}

struct Bad {
  const char* name;
  std::string table;
  std::string options;  // of train mlp, beside --csv t.csv --save m
  std::vector<std::string> says;
};

const std::vector<Bad>& bad() {
  const std::string good = clouds(12);
  const std::string kind = "--target kind";
  static const std::vector<Bad> all{
      {"Empty", "", kind, {"t.csv", "empty"}},
      {"OnlyEmptyLines", "\n\r\n\n", kind, {"t.csv", "empty"}},
      {"OnlyAHeader", "x,kind\n", kind, {"t.csv", "no rows"}},
      {"NoHeader", "1,2,3\n4,5,6\n", "--target c3", {"t.csv:1", "header", "--no-header"}},
      {"MissingTarget", good, "--target species", {"t.csv", "no column 'species'", "x, y, colour, kind"}},
      {"OneColumn", "kind\na\nb\na\nb\na\nb\n", kind, {"t.csv", "only column", "--delimiter"}},
      {"WrongDelimiter", "x;kind\n1;a\n2;b\n", kind, {"t.csv", "no column 'kind'", "--delimiter"}},
      {"RaggedShort", "x,y,kind\n1,2,a\n3,b\n", kind, {"t.csv:3", "2 fields", "3 columns", "add"}},
      {"RaggedLong", "x,kind\n1,a\n1,5,b\n", kind, {"t.csv:3", "3 fields", "quotes"}},
      {"TextAmongNumbers",
       "x,kind\n1,a\n2,b\nfive,a\n",
       kind,
       {"t.csv:4", "column 'x'", "'five'", "--text x"}},
      {"NanAmongNumbers", "x,kind\n1,a\nnan,b\n", kind, {"t.csv:3", "column 'x'", "missing", "fill"}},
      {"InfinityAmongNumbers", "x,kind\n1,a\n-inf,b\n", kind, {"t.csv:3", "column 'x'", "finite"}},
      {"BeyondDouble", "x,kind\n1,a\n1e999,b\n", kind, {"t.csv:3", "column 'x'", "finite"}},
      {"MissingValue",
       "x,y,kind\n1,2,a\n3,,b\n",
       kind,
       {"t.csv:3", "column 'y'", "missing", "remove the line"}},
      {"MissingText", "x,colour,kind\n1,red,a\n2,,b\n", kind, {"t.csv:3", "column 'colour'", "missing"}},
      {"MissingFirst", "x,kind\nNA,a\n2,b\n", kind, {"t.csv:2", "column 'x'", "missing"}},
      {"LineOfQuotedBreaks",
       "x,note,kind\n1,\"two\nlines\",a\n2,\"two\nlines\",b\noops,n,a\n",
       kind,
       {"t.csv:6", "column 'x'"}},
      {"OpenQuote", "x,kind\n1,\"a\n2,b\n", kind, {"t.csv:2", "column 'kind'", "never closed"}},
      {"TextBehindQuote", "x,kind\n1,\"a\"b\n", kind, {"t.csv:2", "column 'kind'", "closing quote"}},
      {"RepeatedName", "x,x,kind\n1,2,a\n", kind, {"t.csv:1", "two columns", "'x'", "rename"}},
      {"EmptyName", "x,,kind\n1,2,a\n", kind, {"t.csv:1", "column 2", "no name"}},
      {"NotUtf8", "x,kind\n1,a\n2,b\xFC\n", kind, {"t.csv:3", "column 'kind'", "UTF-8"}},
      {"OneClass", "x,kind\n1,a\n2,a\n3,a\n4,a\n", kind, {"t.csv", "column 'kind'", "only one class", "'a'"}},
      {"ClassOnlyInValidation",
       "x,kind\n1,a\n2,b\n3,a\n4,b\n5,c\n",
       kind + " --in-order --strict",
       {"t.csv:6", "column 'kind'", "class 'c'", "--validation-split"}},
      {"CategoryOnlyInValidation",
       "x,colour,kind\n1,red,a\n2,blue,b\n3,red,a\n4,blue,b\n5,green,a\n",
       kind + " --in-order --strict",
       {"t.csv:6", "column 'colour'", "'green'", "blue, red"}},
      {"ClassEach", "x,kind\n1,a\n2,b\n3,c\n4,d\n", kind, {"t.csv", "column 'kind'", "own", "--regress"}},
      {"RegressText", good, kind + " --regress", {"t.csv:2", "column 'kind'", "'a'", "not a number"}},
      {"NoTrainingRows",
       "x,kind\n1,a\n2,b\n",
       kind + " --validation-split 0.9",
       {"t.csv", "validation_split of 0.9", "0 of 2 rows", "(--validation-split)"}},
      {"NoValidationRows",
       "x,kind\n1,a\n",
       kind + " --validation-split 0.0000000000000000001",
       {"t.csv", "0 for validation"}},
      {"SplitOfOne",
       good,
       kind + " --validation-split 1",
       {"validation_split is 1", "[0, 1)", "(--validation-split)"}},
      {"SplitOfNan",
       good,
       kind + " --validation-split nan",
       {"validation_split is nan", "(--validation-split)"}},
      {"UnknownFeature", good, kind + " --features x,z", {"t.csv", "no column 'z'", "x, y, colour, kind"}},
      {"TargetAsFeature", good, kind + " --features x,kind", {"column 'kind' is the target"}},
      {"FeatureTwice", good, kind + " --features x,x", {"column 'x' is asked for twice"}},
      {"UnknownText", good, kind + " --text z", {"no column 'z'"}},
      {"NoUnits", good, kind + " --hidden 8,0", {"--hidden", "0"}},
      {"HiddenText", good, kind + " --hidden many", {"--hidden", "many"}},
      {"UnknownActivation", good, kind + " --activation magic", {"--activation", "magic", "tanh"}},
      {"UnknownOptimizer", good, kind + " --optimizer magic", {"no optimizer 'magic'", "adam"}},
      {"MomentumOfAdam", good, kind + " --momentum 0.9", {"--momentum", "adam"}},
      {"NegativeClip", good, kind + " --clip-norm -1", {"clip_norm", "-1"}},
      {"DropoutOfOne", good, kind + " --dropout 1", {"--dropout", "1"}},
      {"NoEpochs", good, kind + " --epochs 0", {"epochs is 0", "(--epochs)"}},
      {"NoBatch", good, kind + " --batch 0", {"batch is 0", "(--batch)"}},
      {"RateOfNan", good, kind + " --rate nan", {"rate is nan", "(--rate)"}},
      {"Delimiters", good, kind + " --delimiter ab", {"--delimiter", "ab"}},
      {"ClassifyAndRegress", good, kind + " --classify --regress", {"--regress", "--classify"}},
      {"ResumeWithoutCheckpoint", good, kind + " --resume", {"--resume", "--checkpoint"}},
      {"PatienceWithoutValidation",
       good,
       kind + " --patience 2 --validation-split 0",
       {"--patience", "--validation-split"}},
      {"HistoryNowhere", good, kind + " --history no/such/h.json", {"h.json", "cannot be written"}},
      {"NoTarget", good, "", {"--target"}},
      {"Diverges",
       "x,t\n1,1\n2,3\n3,2\n4,5\n5,1\n",
       "--target t --optimizer sgd --rate 1e30 --raw",
       {"diverged", "smaller learning rate", "epoch", "is the first that is not finite"}},
  };
  return all;
}

class BadTable : public Table, public testing::WithParamInterface<Bad> {};

TEST_P(BadTable, IsRefusedWithPlaceAndRemedy) {
  write("t.csv", GetParam().table);
  const Ran answer = run("train mlp --csv t.csv --save m " + GetParam().options);
  EXPECT_NE(answer.status, 0) << answer.output;
  test::expect_parts(answer.output, GetParam().says);
  EXPECT_THAT(answer.output, testing::Not(HasSubstr("terminate")));
  EXPECT_EQ(files(), 1U) << "something was written";
}

INSTANTIATE_TEST_SUITE_P(All, BadTable, testing::ValuesIn(bad()),
                         [](const auto& info) { return info.param.name; });

TEST_F(Table, WhatIsNotThereIsRefused) {
  const auto refused = [&](const std::string& arguments, const std::string& message) {
    const Ran answer = run(arguments);
    EXPECT_NE(answer.status, 0) << answer.output;
    EXPECT_THAT(answer.output, HasSubstr(message));
  };
  refused("train mlp --csv none.csv --target t", "none.csv': there is no such file");
  refused("train mlp --csv . --target t", "expected a regular file");
  refused("train mlp --target t", "--data");
  refused("predict none --csv none.csv", "none': there is no such file");
  EXPECT_EQ(files(), 0U);
  write("t.csv", clouds());
  refused("train mlp --csv t.csv --target kind --save none/m", "m: cannot be written");
  refused("predict t.csv --csv t.csv", "t.csv");
  ASSERT_EQ(run("train mlp --csv t.csv --target kind --epochs 1 --save m --checkpoint c").status, 0);
  refused("predict c --csv none.csv", "none.csv");
  write("p.csv", "x,y\n1,2\n");
  refused("predict m --csv p.csv", "no column 'colour'; there are: x, y");
  write("p.csv", "x,y,colour\n1,2,green\n");
  refused("predict m --csv p.csv --strict", "p.csv:2: column 'colour': 'green' does not occur");
  write("p.csv", "x,y,colour\none,2,red\n");
  refused("predict m --csv p.csv", "p.csv:2: column 'x': 'one' is not a number");
  std::string damaged = read("m");
  damaged.resize(damaged.size() - 1);
  write("d", damaged);
  refused("predict d --csv t.csv", "tensor file 'd'");
  damaged = read("m");
  damaged.replace(damaged.find("relu"), 4, "rule");
  write("d", damaged);
  refused("predict d --csv t.csv", "no activation 'rule'");
  damaged = read("m");
  damaged.replace(damaged.find("[32]"), 4, "[99]");
  write("d", damaged);
  refused("predict d --csv t.csv", "its recipe makes no sense");
  damaged = read("m");
  damaged.replace(damaged.find("[32]"), 4, "[-1]");
  write("d", damaged);
  refused("predict d --csv t.csv", "its recipe makes no sense (expected a whole number from 1 to");
  refused("train mlp --csv t.csv --target kind --checkpoint c --resume --seed 9 --epochs 2", "seed 1, not 9");
  refused("train mlp --csv t.csv --target kind --checkpoint c --resume --batch 5 --epochs 2",
          "batch 32 rows, not 5 rows");
  refused("train mlp --csv t.csv --target kind --checkpoint c --resume --hidden 5 --epochs 2",
          "hidden 32, not 5");
  refused("train mlp --csv t.csv --target kind --checkpoint c --resume --precision double --epochs 2",
          "precision float, not double");
  refused("train mlp --csv t.csv --target kind --checkpoint m --resume --epochs 2", "no checkpoint");
}

}  // namespace
}  // namespace gradus
