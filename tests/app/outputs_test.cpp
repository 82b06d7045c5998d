// The files that commands write, and the standard output: nothing is lost that was there, nothing is lost
// silently.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/program.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Outputs : public test::ProgramTest {
 protected:
  void SetUp() override {
    unsetenv("GRADUS_MNIST");  // which takes long
    setenv("HOME", folder_.c_str(), 1);
    std::string table = "x,t\n";
    for (int i = 0; i < 20; ++i) table += std::to_string(i) + "," + std::to_string(2 * i + 1) + "\n";
    write("d.csv", table);
  }
  void expect_two_purposes(const std::string& arguments, const std::string& options) const {
    const auto ran = run(arguments);
    EXPECT_EQ(ran.status, 1) << arguments;
    EXPECT_THAT(ran.output, testing::AllOf(HasSubstr("two purposes"), HasSubstr(options))) << arguments;
  }
  const std::string mlp = "train mlp --data d.csv --target t --epochs 2 --validation-split 0 ";
};

TEST_F(Outputs, ThatAreInputsOrEachOtherAreRefusedBeforeAnythingRuns) {
  ASSERT_EQ(run(mlp + "--save m").status, 0);
  const std::string table = read("d.csv"), model = read("m");
  fs::create_hard_link(file("d.csv"), file("hard"));
  fs::create_symlink("m", file("link"));
  expect_two_purposes(mlp + "--save d.csv", "(--data, --save)");
  expect_two_purposes(mlp + "--history hard", "(--data, --history)");
  expect_two_purposes(mlp + "--checkpoint c --save ./c", "(--save, --checkpoint)");
  expect_two_purposes(mlp + "--out o --history o/report.html", "(--history, --out)");
  expect_two_purposes("train sine --epochs 1 --history h --checkpoint h", "(--history, --checkpoint)");
  expect_two_purposes("predict m --data d.csv --output link",
                      "(a file that 'gradus train mlp --save' wrote, --output)");
  expect_two_purposes("predict m --data d.csv --output hard", "(--data, --output)");
  expect_two_purposes("profile sine --json p --svg p", "(--json, --svg)");
  const auto exported = run("export m --onnx link");
  EXPECT_NE(exported.status, 0) << exported.output;
  EXPECT_EQ(read("d.csv"), table);
  EXPECT_EQ(read("m"), model);
  for (const char* name : {"c", "h", "p"}) EXPECT_FALSE(fs::exists(file(name))) << name;
}

TEST_F(Outputs, ThatFailCostNoOther) {
  const auto history = run(mlp + "--save m --history /dev/full --out o");
  EXPECT_EQ(history.status, 1);
  EXPECT_THAT(history.output,
              testing::AllOf(HasSubstr("/dev/full: cannot be written: No space left"), HasSubstr("saved m")));
  EXPECT_EQ(run("predict m --data d.csv").status, 0);
  EXPECT_TRUE(fs::exists(file("o/report.html")));
  const auto model = run(mlp + "--save /dev/full --history h.json");
  EXPECT_EQ(model.status, 1);
  EXPECT_THAT(model.output, testing::AllOf(HasSubstr("/dev/full: cannot be written: No space left"),
                                           testing::Not(HasSubstr("saved"))));
  EXPECT_TRUE(fs::exists(file("h.json")));
  EXPECT_EQ(run(mlp + "--save /dev/full --history /dev/full").status, 1);  // a device may be named twice
}

TEST_F(Outputs, ToDevicesAndPipesArePassedOn) {
  ASSERT_EQ(run(mlp + "--save m").status, 0);
  const std::string answers =
      test::run_command("cd '" + file(".") + "'; '" GRADUS_PROGRAM "' predict m --data d.csv 2>/dev/null")
          .output;
  EXPECT_EQ(run("predict m --data d.csv --output /dev/null").status, 0);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(run("predict m --data d.csv --output /dev/stdout 2>/dev/null | cat").output, answers);
  EXPECT_EQ(run("predict m --data d.csv --output /dev/stdout 2>/dev/null > a.csv").status, 0);
  EXPECT_EQ(read("a.csv"), answers);
}

// Every command, with little to do.
const std::vector<std::string> commands{"list",
                                        "--help",
                                        "train mlp --help",
                                        "--version",
                                        "tutorials",
                                        "graph sine",
                                        "check neuron",
                                        "profile neuron --runs 1",
                                        "train sine --epochs 1",
                                        "train mlp --data d.csv --target t --epochs 1",
                                        "predict m --data d.csv",
                                        "export neuron --onnx n.onnx"};

TEST_F(Outputs, OnAFullDiskOrToNobodyAreErrors) {
  ASSERT_EQ(run(mlp + "--save m").status, 0);
  for (const std::string& command : commands) {
    const auto full = run(command + " 2>&1 > /dev/full");
    EXPECT_NE(full.status, 0) << command;
    EXPECT_THAT(full.output, testing::ContainsRegex("No space left|cannot be written")) << command;
    EXPECT_NE(run(command + " >&-").status, 0) << command;
  }
}

TEST_F(Outputs, AreAsEverWhereNobodyCanBeToldOfErrors) {
  for (const std::string& command :
       std::vector<std::string>{"train mlp --data none --target t", "check nothing",
                                "predict none --data d.csv", "nonsense", "train mlp"}) {
    const int status = run(command).status;
    EXPECT_GT(status, 0);
    EXPECT_LT(status, 128);
    EXPECT_EQ(run(command + " 2>&-").status, status) << command;
    EXPECT_EQ(run(command + " 2>/dev/full").status, status) << command;
  }
  ASSERT_EQ(run(mlp + "--save m 2>&-").status, 0);
  EXPECT_EQ(run("predict m --data d.csv 2>&- > a.csv").status, 0);
  EXPECT_THAT(read("a.csv"), HasSubstr("\n"));
}

}  // namespace
}  // namespace gradus
