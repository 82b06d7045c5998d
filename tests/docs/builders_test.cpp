// docs/builders.md lists what the public headers declare: it is what docs/builders makes of them, and what a
// second reader of the headers finds is on it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"

namespace {

namespace fs = std::filesystem;
using gradus::test::contents;
using gradus::test::run_command;
using testing::HasSubstr;
const fs::path root = GRADUS_SOURCE_DIR;

std::vector<fs::path> public_headers(const fs::path& project) {
  std::vector<fs::path> found;
  for (const char* module : {"framework", "ops", "models"})
    for (const auto& entry : fs::recursive_directory_iterator(project / module / "include"))
      if (entry.path().extension() == ".hpp" &&
          contents(entry.path()).find("namespace GRADUS_PUBLIC") != std::string::npos)
        found.push_back(entry.path());
  return found;
}

// The functions that begin a line, and the members that build expressions or optimizers. It knows less than
// docs/builders.awk: declarations that begin with a requirement are passed over.
std::set<std::string> functions_of(const std::string& header) {
  static const std::regex other(
      "^(requires|static_assert|namespace|extern|using|concept|class|template.*> "
      "(class|using) |template.*decltype)");
  static const std::regex free_one(R"(^[A-Za-z\[].*?([A-Za-z_0-9]+)\((?!\)))");
  static const std::regex without_arguments(
      R"(^(Initializer|Metric|Optimizer|std::string) ([a-z_0-9]+)\(\))");
  static const std::regex member(R"(^  (Expr|std::vector<Expr>|Optimizer) ([a-z_0-9]+)\()");
  std::set<std::string> names;
  std::istringstream lines(header);
  bool detail = false, hidden = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("namespace detail")) detail = true;
    if (line.starts_with("}  // namespace detail")) detail = false;
    if (line == " private:" || line == " protected:") hidden = true;
    if (line == " public:" || line == "};") hidden = false;
    std::smatch found;
    if (detail || line.find("operator") != std::string::npos || line.find("std::function<") < line.find('('))
      continue;
    if (std::regex_search(line, found, without_arguments) ||
        (!hidden && line.find(" final") == std::string::npos && std::regex_search(line, found, member)))
      names.insert(found[2]);
    else if (!std::regex_search(line, other) && std::regex_search(line, found, free_one))
      names.insert(found[1]);
  }
  return names;
}

bool lists(const std::string& page, const std::string& name) {
  return std::regex_search(page, std::regex("^\\| .*[`.:]" + name + "\\(.* \\|$", std::regex::multiline));
}

// Short, where a failure would show the whole page.
bool holds(const std::string& page, const std::string& row) { return page.find(row) != std::string::npos; }

TEST(Builders, ThePageIsWhatTheHeadersSay) {
  const auto made = run_command("'" + (root / "docs/builders").string() + "'");
  ASSERT_EQ(made.status, 0) << made.output;
  EXPECT_TRUE(made.output == contents(root / "docs/builders.md"))
      << "write it anew: docs/builders > docs/builders.md";
}

TEST(Builders, EveryPublicFunctionIsOnThePage) {
  const std::string page = contents(root / "docs/builders.md");
  std::size_t checked = 0;
  for (const fs::path& header : public_headers(root))
    for (const std::string& name : functions_of(contents(header))) {
      ++checked;
      EXPECT_TRUE(lists(page, name)) << header << ": " << name;
    }
  EXPECT_GT(checked, 150U);
  for (const char* name :
       {"relu", "linear", "mse", "adam", "clip_norm", "he_normal", "early_stopping", "accuracy",
        "cosine_decay", "input", "groups", "frozen", "check_gradient", "read_csv"})
    EXPECT_TRUE(lists(page, name)) << name;
  EXPECT_FALSE(lists(page, "no_such_builder"));
}

TEST(Builders, TheSecondReaderFindsFunctions) {
  EXPECT_THAT(
      functions_of(
          "namespace GRADUS_PUBLIC gradus {\nnamespace detail {\nExpr hidden(Arg x);\n}  // namespace "
          "detail\nExpr one(Arg x);\nMetric two();\ntemplate <class T> void three(T x) {}\n"
          "std::shared_ptr<Callback> four(\n    int x);\nclass Mine {\n public:\n  Expr five(int x);\n"
          " private:\n  Expr six(int x);\n};\nExpr seven(Arg x);\n"),
      testing::ElementsAre("five", "four", "one", "seven", "three", "two"));
}

// A project of nothing but the headers and the script.
class PlantedBuilder : public gradus::test::FolderTest {
 protected:
  void SetUp() override {
    for (const char* module : {"framework", "ops", "models"}) {
      fs::create_directory(folder_ / module);
      fs::copy(root / module / "include", folder_ / module / "include", fs::copy_options::recursive);
    }
    fs::create_directory(folder_ / "docs");
    for (const char* script : {"docs/builders", "docs/builders.awk"})
      fs::copy(root / script, folder_ / script);
  }
  auto list() const { return run_command("'" + file("docs/builders") + "'"); }

  // Puts declarations before the end of a header's namespace.
  void plant(const fs::path& header, const std::string& declarations) const {
    std::string text = contents(header);
    const std::size_t end = text.rfind("}  // namespace gradus\n");
    ASSERT_NE(end, std::string::npos) << header;
    std::ofstream(header) << text.insert(end, declarations + "\n\n");
  }
};

TEST_F(PlantedBuilder, IsListedWhateverHeaderItIsIn) {
  std::size_t planted = 0;
  for (const fs::path& header : public_headers(folder_))
    plant(header, "\n/// What was planted. Not this.\nExpr planted_" + std::to_string(planted++) +
                      "(Arg x, const std::map<int, int>& y = {},\n    double z = 0.5, Location where = "
                      "Location::current());");
  const auto made = list();
  ASSERT_EQ(made.status, 0) << made.output;
  for (std::size_t i = 0; i < planted; ++i)
    EXPECT_TRUE(holds(made.output, "| `planted_" + std::to_string(i) + "(x, y, z = 0.5)` | What was planted"))
        << i;
  EXPECT_GT(planted, 70U);
}

TEST_F(PlantedBuilder, IsListedWhateverKindItIs) {
  plant(file("ops/include/gradus/ops/extremum.hpp"),
        "/// Kind one.\ntemplate <class T>\nExpr kind_one(T x) {\n  return x;\n}\n"
        "/// Kind two: both.\nExpr kind_two(Arg x);\nExpr kind_three(Arg x);\n"
        "/// Kind four.\ninline std::vector<Expr> kind_four(Arg x) { return {}; }");
  plant(file("models/include/gradus/optim/sgd.hpp"), "/// Kind five.\nOptimizer kind_five();");
  plant(file("models/include/gradus/train/callbacks.hpp"),
        "/// Options of `kind_six`.\nstruct SixOptions {\n  double six = 6;  ///< this\n};\n"
        "/// Kind six.\nstd::shared_ptr<Callback> kind_six(const SixOptions& options = {});");
  const fs::path optimizer = file("models/include/gradus/optim/optimizer.hpp");
  std::string text = contents(optimizer);
  text.insert(text.find("  /// Each entry of a gradient"),
              "  /// Kind seven.\n  Optimizer kind_seven(double limit) const;\n");
  std::ofstream(optimizer) << text;
  write("models/include/gradus/nn/planted.hpp",
        "#pragma once\n\nnamespace GRADUS_PUBLIC gradus {\n\n/// Kind eight.\nExpr kind_eight(Arg x);\n\n}  "
        "// namespace gradus\n");
  const auto made = list();
  ASSERT_EQ(made.status, 0) << made.output;
  for (const char* row :
       {"| `kind_one(x)` | Kind one |\n", "| `kind_two(x)`, `kind_three(x)` | Kind two: both |\n",
        "| `kind_four(x)` | Kind four |\n", "| `kind_five()` | Kind five |\n",
        "| `kind_six({.six = 6})` | Kind six |\n", "| `.kind_seven(limit)` | Kind seven |\n",
        "| `kind_eight(x)` | Kind eight (`gradus/nn/planted.hpp`) |\n"})
    EXPECT_TRUE(holds(made.output, row)) << row;
}

TEST_F(PlantedBuilder, IsRefusedWithoutALine) {
  const fs::path header = file("ops/include/gradus/ops/where.hpp");
  const std::string before = contents(header);
  const auto refused = [&](const std::string& declarations, const std::string& why) {
    plant(header, declarations);
    const auto made = list();
    EXPECT_NE(made.status, 0);
    EXPECT_THAT(made.output, testing::AllOf(HasSubstr("ops/where.hpp:"), HasSubstr(why)));
    std::ofstream(header) << before;
  };
  refused("\nExpr planted(Arg x);", "a comment of /// is missing above planted");
  refused("/// The same of x.\nExpr planted(Arg x);", "say in full what planted is");
  refused("/// " + std::string(300, 'x') + ".\nExpr planted(Arg x);",
          "the first sentence on planted has 300 bytes");
  write("models/include/gradus/attic/new.hpp", "namespace GRADUS_PUBLIC gradus {\n}  // namespace gradus\n");
  EXPECT_THAT(list().output, HasSubstr("models/include/gradus/attic/new.hpp:1: it belongs to no section"));
}

}  // namespace
