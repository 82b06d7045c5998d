// The floors of the source tree: every include names a file that exists, and leads to the same room or to one
// below. Reads the includes; tests/CMakeLists.txt has the linker hold the libraries to the same order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/folder.hpp"

namespace {

namespace fs = std::filesystem;
using gradus::test::contents;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// From the ground up.
const std::vector<std::string> floors{
    "framework/base",    "framework/simd",      "framework/graph", "framework/autodiff", "framework/compile",
    "framework/runtime", "framework/inspect",   "framework/check", "ops/kernels",        "ops",
    "models/nn",         "models/optim",        "models/data",     "models/train",       "models/xtensor",
    "models/onnx",       "models/app/progress", "models/app/plot", "models/app/report",  "models/tutorials",
    "models/app/table",  "models/app/fetch",    "models/app/cli",
};

// By path within the project.
using Tree = std::map<std::string, std::string>;

Tree project_tree() {
  Tree tree;
  const fs::path root = GRADUS_SOURCE_DIR;
  for (const char* module : {"framework", "ops", "models"})
    for (const auto& entry : fs::recursive_directory_iterator(root / module))
      if (entry.path().extension() == ".hpp" || entry.path().extension() == ".cpp")
        tree[fs::relative(entry.path(), root).generic_string()] = contents(entry.path());
  return tree;
}

// The room that a file stands in; -1 for umbrella headers, which stand above all.
int floor_of(const std::string& path) {
  static const std::regex public_header("(framework|ops|models)/include/gradus/([a-z_]+)/.*");
  std::smatch match;
  std::string place = path;
  if (path == "framework/include/gradus/version.hpp") place = "framework/base/";
  if (std::regex_match(path, match, public_header))
    place = match[1] == "ops" ? "ops/" : match[1].str() + "/" + match[2].str() + "/";
  int found = -1;
  for (std::size_t i = 0; i < floors.size(); ++i)
    if (place.starts_with(floors[i] + "/") &&
        (found < 0 || floors[i].size() > floors[static_cast<std::size_t>(found)].size()))
      found = static_cast<int>(i);
  return place.find("/include/gradus/") != place.npos ? -1 : found;
}

// The files that a file includes in quotes; those that do not exist as they are spelled.
std::vector<std::string> includes(const Tree& tree, const std::string& path) {
  static const std::regex include(R"re((?:^|\n)#include "([^"]+)")re");
  const std::string& text = tree.at(path);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), include), end; at != end; ++at) {
    const std::string spelled = (*at)[1];
    found.push_back(spelled);
    for (const char* root : {"framework/include/", "ops/include/", "models/include/"})
      if (tree.contains(root + spelled)) found.back() = root + spelled;
  }
  return found;
}

struct Findings {
  std::vector<std::string> missing;  // includes of what does not exist
  std::vector<std::string> upward;   // includes of a higher floor
  std::vector<std::string> circles;  // headers that include each other in the end
};

Findings examine(const Tree& tree) {
  Findings findings;
  std::map<std::string, int> seen;  // 1: on the way; 2: done
  for (const auto& [start, text] : tree) {
    std::vector<std::pair<std::string, std::size_t>> way{{start, 0}};
    while (!way.empty()) {
      auto& [path, next] = way.back();
      const auto all = includes(tree, path);
      seen[path] = next < all.size() ? 1 : 2;
      if (next == all.size()) {
        way.pop_back();
        continue;
      }
      const std::string included = all[next++];
      if (tree.contains(included) && seen[included] == 1)
        findings.circles.push_back(path + " -> " + included);
      if (tree.contains(included) && seen[included] == 0) way.emplace_back(included, 0);
    }
  }
  for (const auto& [path, text] : tree)
    for (const std::string& included : includes(tree, path)) {
      const int from = floor_of(path);
      if (!tree.contains(included))
        findings.missing.push_back(path + " -> " + included);
      else if (from >= 0 && (floor_of(included) < 0 || floor_of(included) > from))
        findings.upward.push_back(path + " -> " + included);
    }
  return findings;
}

TEST(Layers, IncludesExistAndLeadDownwards) {
  const Tree tree = project_tree();
  const Findings findings = examine(tree);
  EXPECT_THAT(findings.missing, IsEmpty());
  EXPECT_THAT(findings.upward, IsEmpty());
  EXPECT_THAT(findings.circles, IsEmpty());
  for (std::size_t i = floors.size(); i-- > 0;) {
    std::set<std::string> below;
    std::size_t files = 0;
    for (const auto& [path, text] : tree) {
      if (floor_of(path) != static_cast<int>(i)) continue;
      ++files;
      for (const std::string& included : includes(tree, path))
        if (const int floor = floor_of(included); floor >= 0 && floor != static_cast<int>(i))
          below.insert(floors[static_cast<std::size_t>(floor)].substr(
              floors[static_cast<std::size_t>(floor)].rfind('/') + 1));
    }
    std::string on;
    for (const std::string& room : below) on += (on.empty() ? "" : " ") + room;
    std::printf("%2zu  %-18s %3zu files  on: %s\n", i, floors[i].c_str(), files, on.c_str());
  }
  std::printf("%zu files, %zu circles, %zu arrows up, %zu paths that do not exist\n", tree.size(),
              findings.circles.size(), findings.upward.size(), findings.missing.size());
}

TEST(Layers, EveryFileHasARoom) {
  for (const auto& [path, text] : project_tree())
    EXPECT_TRUE(floor_of(path) >= 0 || path.find("/include/gradus/") != path.npos) << path;
}

TEST(Layers, APlantedUpwardIncludeIsFound) {
  Tree tree = project_tree();
  tree["framework/graph/graph.cpp"] += "#include \"framework/compile/plan.hpp\"\n";
  EXPECT_THAT(examine(tree).upward, Contains(HasSubstr("graph.cpp -> framework/compile/plan.hpp")));
  tree["framework/include/gradus/base/error.hpp"] += "#include \"gradus/ops/view.hpp\"\n";
  EXPECT_THAT(examine(tree).upward, Contains(HasSubstr("error.hpp -> ops/include/gradus/ops/view.hpp")));
}

TEST(Layers, APlantedCircleIsFound) {
  Tree tree = project_tree();
  tree["framework/include/gradus/graph/shape.hpp"] += "#include \"gradus/graph/op.hpp\"\n";
  EXPECT_THAT(examine(tree).circles, testing::Not(IsEmpty()));
}

TEST(Layers, APathThatDoesNotExistIsFound) {
  Tree tree = project_tree();
  tree["ops/view.cpp"] += "#include \"gradus/ops/views.hpp\"\n";
  EXPECT_THAT(examine(tree).missing, Contains("ops/view.cpp -> gradus/ops/views.hpp"));
}

// Whose header is elsewhere: programs, and what a program puts in place of something that was not built.
bool is_program(const std::string& path) { return path.starts_with("models/app/cli/"); }

TEST(Layers, EverySourceImplementsTheHeaderOfItsName) {
  const Tree tree = project_tree();
  for (const auto& [path, text] : tree) {
    if (!path.ends_with(".cpp") || is_program(path)) continue;
    const std::string header = path.substr(path.rfind('/') + 1, path.size() - path.rfind('/') - 5) + ".hpp";
    const auto first = includes(tree, path);
    ASSERT_FALSE(first.empty()) << path;
    EXPECT_TRUE(first.front().ends_with("/" + header)) << path << " begins with " << first.front();
    EXPECT_EQ(floor_of(first.front()), floor_of(path)) << path;
  }
}

}  // namespace
