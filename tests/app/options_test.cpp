// What the commands of the program accept, their help lists, and what a training was told, its report says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

using test::contents;
using test::run_gradus;
using testing::HasSubstr;
using testing::Not;
using Names = std::set<std::string>;

// All texts in a text that match the pattern's first group.
Names found_in(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern, std::regex::multiline);
  Names all;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) all.insert((*at)[1]);
  return all;
}

// Every option that some command may have: the program's texts that begin with two hyphens.
Names options_of_the_program() {
  std::string sources;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(GRADUS_SOURCE_DIR "/models/app/cli"))
    if (entry.path().extension() == ".cpp") sources += contents(entry.path());
  Names all;
  for (const std::string& names : found_in(sources, "\"!?(--[a-z][a-z,-]*)\""))
    for (const std::string& name : found_in(names, "(--[a-z][a-z-]*)")) all.insert(name);
  return all;
}

Names commands() {
  Names all = found_in(run_gradus("--help").output, "^  ([a-z]+) +[A-Z]");
  for (const std::string& below : found_in(run_gradus("train --help").output, "^  ([a-z]+) +Train a network"))
    all.insert("train " + below);
  return all;
}

Names options_in_help(const std::string& command) {
  Names all;
  for (const std::string& line :
       found_in(run_gradus(command + " --help").output, "^ +(?:-[a-z],)?(--[a-z][a-z,-]*)"))
    for (const std::string& name : found_in(line, "(--[a-z][a-z-]*)")) all.insert(name);
  return all;
}

// Arguments without which a command does not look at the rest, and with which it comes to nothing.
std::string needed(const std::string& command) {
  static const std::map<std::string, std::string> arguments{{"list", ""},
                                                            {"tutorials", ""},
                                                            {"fetch", "mnist --data /proc/none"},
                                                            {"train", "none"},
                                                            {"train mlp", "--data none.csv --target none"},
                                                            {"predict", "none.safetensors --data none.csv"},
                                                            {"export", "none --onnx none/none.onnx"}};
  const auto found = arguments.find(command);
  return found == arguments.end() ? "none" : found->second;
}

TEST(Options, EveryOneThatACommandAcceptsIsInItsHelp) {
  const Names all = options_of_the_program();
  EXPECT_GT(all.size(), 45U);
  EXPECT_GE(commands().size(), 9U);
  std::size_t accepted = 0;
  for (const std::string& command : commands()) {
    const Names listed = options_in_help(command);
    EXPECT_TRUE(listed.contains("--help")) << command;
    for (const std::string& option : all) {
      const auto ran = run_gradus(command + " " + needed(command) + " " + option, "cd /tmp && timeout 20");
      const bool accepts = ran.output.find("there is no option") == std::string::npos;
      EXPECT_EQ(accepts, listed.contains(option)) << command << " " << option << ": " << ran.output;
      accepted += accepts ? 1 : 0;
    }
    for (const std::string& option : listed)
      EXPECT_TRUE(option == "--help" || all.contains(option)) << command << " " << option;
  }
  EXPECT_GT(accepted, 75U);
}

// An option with a value, and the setting of the report that tells it.
struct Told {
  std::string option, value, setting, shown;
};

class Settings : public test::ProgramTest {
 protected:
  void SetUp() override {
    std::string table = "x,y,word,t\n";
    for (int i = 0; i < 40; ++i)
      table += std::to_string(i % 7) + "," + std::to_string(i % 5) + "," + (i % 2 == 0 ? "a" : "b") + "," +
               std::to_string(i % 3) + "\n";
    write("t.csv", table);
  }

  // The rows of the report's settings.
  std::map<std::string, std::string> settings_after(const std::string& arguments) {
    const auto ran = run("train " + arguments + " --epochs 2 --out out");
    EXPECT_EQ(ran.status, 0) << ran.output;
    const std::string html = read("out/report.html");
    const std::size_t begin = html.find("Settings"), end = html.find("</table>", begin);
    EXPECT_NE(end, std::string::npos);
    const std::string part = html.substr(begin, end - begin);
    static const std::regex row("<t[hd][^>]*>([^<]*)</t[hd]><td>([^<]*)</td>");
    std::map<std::string, std::string> all;
    for (std::sregex_iterator at(part.begin(), part.end(), row), last; at != last; ++at)
      all[(*at)[1]] = (*at)[2];
    return all;
  }

  // The setting that tells an option has its name, or this one.
  static std::string setting_of(const std::string& option) {
    static const std::map<std::string, std::string> others{{"--norm", "normalization"},
                                                           {"--raw", "standardize"},
                                                           {"--classify", "task"},
                                                           {"--regress", "task"},
                                                           {"--no-header", "header"},
                                                           {"--csv", "data"},
                                                           {"--class-weight", "class weights"}};
    if (const auto found = others.find(option); found != others.end()) return found->second;
    return std::regex_replace(option.substr(2), std::regex("-"), " ");
  }

  // Every option is told, those that are not given with their defaults.
  void expect_all(const std::string& command, const std::map<std::string, std::string>& settings,
                  const Names& but = {}) const {
    for (const std::string& option : options_in_help(command))
      if (option != "--help" && option != "--out" && option != "--memory" && !but.contains(option)) {
        EXPECT_TRUE(settings.contains(setting_of(option))) << command << " " << option;
      }
  }

  void expect_told(const std::string& command, const std::vector<Told>& given) {
    std::string arguments = command;
    for (const Told& told : given) arguments += " " + told.option + " " + told.value;
    const auto settings = settings_after(arguments);
    for (const auto& [option, value, setting, shown] : given) {
      EXPECT_EQ(setting, setting_of(option));
      ASSERT_TRUE(settings.contains(setting)) << option;
      EXPECT_EQ(settings.at(setting), shown) << option;
    }
  }
};

TEST_F(Settings, OfATableHaveEveryOption) {
  expect_all("train mlp", settings_after("mlp --data t.csv --target t"));
  expect_told("mlp", {{"--data", "t.csv", "data", "t.csv"},
                      {"--target", "t", "target", "t"},
                      {"--features", "x,word", "features", "x, word"},
                      {"--na", "none,nil", "na", "none, nil"},
                      {"--missing", "drop", "missing", "drop"},
                      {"--strict", "", "strict", "yes"},
                      {"--thousands", "\"'\"", "thousands", "'"},
                      {"--hidden", "5,4", "hidden", "5, 4"},
                      {"--activation", "tanh", "activation", "tanh"},
                      {"--norm", "layer", "normalization", "layer"},
                      {"--dropout", "0.125", "dropout", "0.125"},
                      {"--raw", "", "standardize", "no"},
                      {"--validation-split", "0.25", "validation split", "0.25"},
                      {"--in-order", "", "in order", "yes"},
                      {"--patience", "7", "patience", "7 epochs"},
                      {"--rate", "0.0625", "rate", "0.0625"},
                      {"--batch", "9", "batch", "9 rows"},
                      {"--seed", "77", "seed", "77"},
                      {"--threads", "2", "threads", "2"},
                      {"--reproducible", "", "reproducible", "yes"},
                      {"--precision", "double", "precision", "double"},
                      {"--history", "h.json", "history", "h.json"},
                      {"--checkpoint", "c.st", "checkpoint", "c.st"},
                      {"--checkpoint-steps", "3", "checkpoint steps", "3"},
                      {"--resume", "", "resume", "yes"},
                      {"--optimizer", "rmsprop", "optimizer", "rmsprop"},
                      {"--momentum", "0.5", "momentum", "0.5"},
                      {"--weight-decay", "0.03125", "weight decay", "0.03125"},
                      {"--clip-norm", "3", "clip norm", "3"},
                      {"--clip-value", "2", "clip value", "2"},
                      {"--save", "m.safetensors", "save", "m.safetensors"}});
  expect_told("mlp", {{"--data", "t.csv", "data", "t.csv"},
                      {"--target", "t", "target", "t"},
                      {"--text", "x", "text", "x"},
                      {"--exclude", "y", "exclude", "y"},
                      {"--classify", "", "task", "classify"},
                      {"--stratify", "", "stratify", "yes"}});
  write("n.csv", "1;2,5;3\n2;3,5;4\n3;4;5\n4;5;6\n5;6,25;7\n6;7;8\n");
  expect_told("mlp", {{"--data", "n.csv", "data", "n.csv"},
                      {"--target", "c3", "target", "c3"},
                      {"--delimiter", "';'", "delimiter", ";"},
                      {"--decimal", ",", "decimal", ","},
                      {"--no-header", "", "header", "no"},
                      {"--regress", "", "task", "regress"},
                      {"--hidden", "0", "hidden", "0 (a linear model)"}});
}

TEST_F(Settings, OfATutorialHaveEveryOption) {
  expect_all("train", settings_after("height-weight"), {"--data", "--init-scale"});
  expect_told("bp-network", {{"--rate", "0.0625", "rate", "0.0625"},
                             {"--batch", "3", "batch", "3 samples"},
                             {"--seed", "77", "seed", "77"},
                             {"--threads", "2", "threads", "2"},
                             {"--reproducible", "", "reproducible", "yes"},
                             {"--precision", "float", "precision", "float"},
                             {"--history", "h.csv", "history", "h.csv"},
                             {"--checkpoint", "c.st", "checkpoint", "c.st"},
                             {"--checkpoint-steps", "3", "checkpoint steps", "3"},
                             {"--resume", "", "resume", "yes"},
                             {"--init-scale", "0.125", "init scale", "0.125"}});
}

TEST_F(Settings, AnOptionThatATutorialDoesNotTakeIsAnError) {
  for (const char* name : {"height-weight", "two-targets", "exam-score", "sine"}) {
    EXPECT_THAT(run(std::string("train ") + name + " --init-scale 2").output,
                HasSubstr(std::string(name) + " has no use for init_scale; leave it out (--init-scale)"));
    EXPECT_THAT(run(std::string("train ") + name + " --data .").output, HasSubstr("has no use for data"));
  }
  EXPECT_THAT(run("train bp-network --data . --epochs 2").output, HasSubstr("has no use for data"));
  EXPECT_THAT(run("train mnist --init-scale 2").output, Not(HasSubstr("Epoch")));
  for (const char* before : {"--init-scale 2", "--data .", "sine"}) {
    const auto ran = run("train " + std::string(before) + " mlp --data t.csv --target t");
    EXPECT_NE(ran.status, 0) << before;
    EXPECT_THAT(ran.output, HasSubstr("it is a tutorial's; leave it out before mlp"));
  }
  EXPECT_EQ(run("train --epochs 2 mlp --data t.csv --target t").status, 0);
}

}  // namespace
}  // namespace gradus
