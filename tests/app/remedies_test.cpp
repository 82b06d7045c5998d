// What messages propose can be typed, whatever the names are; and what is typed is used, or refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gradus/data/csv.hpp"
#include "gradus/data/npz.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

using test::Ran;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Remedies : public test::ProgramTest {
 protected:
  Ran train(const std::string& options) const { return run("train mlp --data t.csv --epochs 1 " + options); }
};

// The text between the parentheses that end the line on which this stands.
std::string options_behind(const std::string& output, const std::string& what) {
  const std::size_t at = output.find(what), end = output.find(")\n", at);
  const std::size_t open = output.rfind(" (--", end);
  return at == std::string::npos || open == std::string::npos ? "" : output.substr(open + 2, end - open - 2);
}

TEST_F(Remedies, ColumnsOfAnyNameCanBeNamed) {
  for (const std::string name : {"row, no", ",", "a,b,c", "say \"hi\", now", "it's", "$HOME", "a\nb", "-x",
                                 "--text", "#1", "a=b", "*", "a b", "ü, ö", "sep=;", "\"", "\\", "na"}) {
    std::string text = csv_field(name) + ",x,y\n";
    for (int i = 0; i < 12; ++i)
      text += std::to_string(i) + "," + std::to_string(i % 5) + "," + std::to_string(i % 4) + "\n";
    write("t.csv", text);
    const Ran warned = train("--target y");
    EXPECT_EQ(warned.status, 0) << warned.output;
    const std::string exclude = options_behind(warned.output, "counts the rows");
    ASSERT_THAT(exclude, testing::StartsWith("--exclude")) << warned.output;
    const Ran followed = train("--target y " + exclude);
    EXPECT_EQ(followed.status, 0) << exclude << followed.output;
    EXPECT_THAT(followed.output, AllOf(HasSubstr("12 rows, 1 features"), Not(HasSubstr("warning"))));
    // The same word for the other options that take names.
    for (const std::string option : {"--features", "--text"})
      EXPECT_EQ(train("--target y " + option + exclude.substr(9)).status, 0) << option << exclude;
  }
  write("t.csv", "\"a, b\",\"c,d\",e,y\n1,2,3,4\n2,3,4,5\n5,4,3,1\n2,1,2,3\n4,2,2,2\n");
  EXPECT_THAT(train("--target y --exclude '\"a, b\",\"c,d\"'").output, HasSubstr("5 rows, 1 features"));
  EXPECT_THAT(train("--target y --exclude '\"a, b' ").output, HasSubstr("the quote is never closed"));
}

TEST_F(Remedies, ArraysHaveNoDelimiter) {
  const std::vector<double> y(12, 1.5);
  write_npz(folder_ / "t.npz", std::vector{tensor_bytes("y", {12}, y)});
  const Ran alone = run("train mlp --data t.npz --target y");
  EXPECT_THAT(alone.output, AllOf(HasSubstr("there is no column to predict 'y' from; add an array"),
                                  Not(HasSubstr("delimiter"))));
}

TEST_F(Remedies, AnEmptyNameOfAFileIsRefusedBeforeTheTraining) {
  write("t.csv", "x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n");
  for (const std::string option : {"--save", "--history", "--tensorboard", "--checkpoint", "--out"}) {
    const Ran ran = train("--target y " + option + " ''");
    EXPECT_NE(ran.status, 0) << option;
    EXPECT_THAT(ran.output, AllOf(HasSubstr(option), HasSubstr("name is empty"), Not(HasSubstr("Epoch"))));
    EXPECT_THAT(run("train height-weight " + (option == "--save" ? "--history" : option) + " ''").output,
                HasSubstr("name is empty"));
  }
  EXPECT_EQ(train("--target y --save m").status, 0);
  EXPECT_THAT(run("predict m --data t.csv --output ''").output, HasSubstr("name is empty"));
  EXPECT_THAT(run("check two-targets --json ''").output, HasSubstr("name is empty"));
}

TEST_F(Remedies, WhatOnlyHiddenLayersHaveIsRefusedWithoutThem) {
  write("t.csv", "x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n");
  const std::vector<std::pair<std::string, std::string>> unused{{"--norm batch", "a normalization"},
                                                                {"--norm layer", "a normalization"},
                                                                {"--dropout 0.5", "dropout"},
                                                                {"--activation tanh", "an activation"}};
  for (const auto& [option, name] : unused) {
    EXPECT_THAT(train("--target y --hidden 0 " + option).output,
                AllOf(HasSubstr("no hidden layers, which alone have " + name),
                      HasSubstr("(no " + option.substr(0, option.find(' ')) + ", --hidden)")));
    EXPECT_EQ(train("--target y --hidden 4 " + option).status, 0);
  }
  EXPECT_THAT(train("--target y --hidden 0 --dropout 0.5 --norm batch --activation tanh").output,
              HasSubstr("a normalization and dropout and an activation"));
  EXPECT_EQ(train("--target y --hidden 0").status, 0);
}

TEST_F(Remedies, NumbersAmongWordsForMissingOnesAreSaidToBeThere) {
  for (const std::string word : {"unknown", "n.v.", "not, yet"}) {
    std::string text = "x,kind\n";
    for (int i = 0; i < 100; ++i)
      text += (i % 5 < 2 ? std::to_string(i) + ".5" : csv_field(word)) + (i % 2 == 0 ? ",a\n" : ",b\n");
    write("t.csv", text);
    const Ran warned = train("--target kind");
    EXPECT_THAT(warned.output, HasSubstr("40 of 100 values are numbers, each of which becomes a level"));
    const Ran followed = train("--target kind " + options_behind(warned.output, "are numbers, each"));
    EXPECT_THAT(followed.output, testing::ContainsRegex("x +number +40 +60")) << warned.output;
    EXPECT_THAT(train("--target kind --text x").output, Not(HasSubstr("values are numbers")));
  }
}

TEST_F(Remedies, SpellingsOfDatesAndTimesAreCalledThat) {
  const auto warned = [&](const auto& value) {
    std::string text = "x,kind\n";
    for (int i = 0; i < 60; ++i) text += value(10 + i % 50) + (i % 2 == 0 ? ",a\n" : ",b\n");
    write("t.csv", text);
    return train("--target kind").output;
  };
  const auto digits = [](int i) { return std::to_string(i); };
  for (const std::string mark : {"-", "/"}) {
    EXPECT_THAT(warned([&](int i) { return "20" + digits(i) + mark + "01"; }), HasSubstr("look like dates"));
    EXPECT_THAT(warned([&](int i) { return "01" + mark + "20" + digits(i); }), HasSubstr("look like dates"));
  }
  EXPECT_THAT(warned([&](int i) { return "10:" + digits(i); }), HasSubstr("look like times"));
  EXPECT_THAT(warned([&](int i) { return digits(i) + ":02:33"; }), HasSubstr("look like times"));
  EXPECT_THAT(warned([&](int i) { return "$" + digits(i); }), HasSubstr("numbers with units or signs"));
}

TEST_F(Remedies, WordsThatProgramsWriteForNoNumberAreMissing) {
  for (const std::string word :
       {"NAN",     "nan",   "-nan",   "-NaN",  "+nan", "-nan(ind)", "1.#IND", "-1.#QNAN", "#DIV/0!",
        "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "na",        "NA",     "Null",     "none",
        "None",    "<NA>",  "NaT",    "n/a",   "N/A",  "?",         "-",      ""}) {
    write("t.csv", "x,kind\n1,a\n2,b\n" + word +
                       ",a\n3,b\n4,a\n\xC2\xA0"
                       "5\xE2\x80\xAF,b\n");
    EXPECT_THAT(train("--target kind --missing mean").output,
                testing::ContainsRegex("x +number +5 +1 .*1, 2, .missing., 3"))
        << word;
  }
}

TEST_F(Remedies, ATrainingThatIsDoneAlreadySaysSo) {
  write("t.csv", "x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n");
  const auto resumed = [&](const std::string& epochs) {
    return run("train mlp --data t.csv --target y --checkpoint c --resume --epochs " + epochs).output;
  };
  EXPECT_THAT(resumed("3"), Not(HasSubstr("nothing is trained")));
  EXPECT_THAT(resumed("3"), HasSubstr("nothing is trained, as 3 epochs are done and 3 were asked for"));
  EXPECT_THAT(resumed("2"), HasSubstr("nothing is trained, as 3 epochs are done and 2 were asked for"));
  EXPECT_THAT(resumed("4"), AllOf(HasSubstr("Epoch 4/4"), Not(HasSubstr("nothing is trained"))));
}

TEST_F(Remedies, AModelWithWeightsOfAnUnsupportedTypeIsNotCalledDamaged) {
  write("t.csv", "x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n");
  ASSERT_EQ(train("--target y --save m").status, 0);
  const std::string good = read("m");
  for (std::size_t at = 0; (at = good.find("\"F32\"", at)) != std::string::npos; ++at) {
    std::string other = good;
    write("other", other.replace(at, 5, "\"C64\""));
    EXPECT_THAT(run("predict other --data t.csv").output,
                AllOf(HasSubstr("C64, which is not supported"), Not(HasSubstr("damaged"))));
  }
}

}  // namespace
}  // namespace gradus
