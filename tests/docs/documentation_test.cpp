// The documentation promises by its form that links lead somewhere, code blocks are compiled, and the
// Chinese page shows the code of the English one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/folder.hpp"

namespace {

namespace fs = std::filesystem;
using gradus::test::contents;
const fs::path project = GRADUS_SOURCE_DIR;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    all.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

std::vector<fs::path> pages() {
  std::vector<fs::path> found;
  for (const char* folder : {"", "docs", "benchmarks", "tests", "tests/mutation"})
    for (const auto& entry : fs::directory_iterator(project / folder))
      if (entry.path().extension() == ".md") found.push_back(entry.path());
  return found;
}

// The page without its blocks of code.
std::vector<std::string> prose(const std::string& text) {
  std::vector<std::string> kept;
  bool code = false;
  for (const std::string& line : lines(text)) {
    if (line.find("```") != std::string::npos && line.find_first_not_of(" `") >= line.find("```"))
      code = !code;
    else if (!code)
      kept.push_back(line);
  }
  return kept;
}

// As GitHub names headings: lower case, spaces as hyphens, no punctuation.
std::set<std::string> anchors(const std::string& text) {
  std::set<std::string> all;
  for (const std::string& line : prose(text)) {
    if (!line.starts_with('#')) continue;
    std::string anchor;
    for (const char c : line.substr(std::min(line.find_first_not_of("# "), line.size()))) {
      if (c == ' ')
        anchor += '-';
      else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || (c & 0x80) != 0)
        anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    all.insert(anchor);
  }
  return all;
}

// Links of a page at this place that lead nowhere.
std::vector<std::string> dead_links(const fs::path& place, const std::string& text) {
  std::vector<std::string> dead;
  static const std::regex link(R"(\]\(([^)\s]+)\))");
  for (const std::string& line : prose(text))
    for (std::sregex_iterator at(line.begin(), line.end(), link), end; at != end; ++at) {
      const std::string target = (*at)[1];
      if (target.starts_with("http://") || target.starts_with("https://")) continue;
      const std::size_t hash = target.find('#');
      const std::string file = target.substr(0, hash);
      const fs::path path = file.empty() ? place : place.parent_path() / file;
      if (!file.empty() && !fs::exists(path))
        dead.push_back(target);
      else if (hash != std::string::npos &&
               !anchors(file.empty() ? text : contents(path)).contains(target.substr(hash + 1)))
        dead.push_back(target);
    }
  return dead;
}

TEST(Documentation, HasNoDeadLinks) {
  ASSERT_GE(pages().size(), 8U);
  for (const fs::path& page : pages())
    EXPECT_THAT(dead_links(page, contents(page)), testing::IsEmpty()) << page;
}

TEST(Documentation, DeadLinksWouldBeFound) {
  const std::string text =
      "# A Heading, really\n[a](README.md) [b](#a-heading-really) [c](README.md#speed)\n[d](no.md) "
      "[e](#none) ![f](docs/no.svg) "
      "[g](README.md#none)\n```\n[h](code.md)\n```\n";
  EXPECT_THAT(dead_links(project / "page.md", text),
              testing::ElementsAre("no.md", "#none", "docs/no.svg", "README.md#none"));
}

// Every block of C++ has a name, and a test or a program of the build uses it.
TEST(Documentation, CodeIsCompiled) {
  std::string users;
  for (const auto& entry : fs::recursive_directory_iterator(project / "tests"))
    if (entry.path().extension() == ".cpp" || entry.path().extension() == ".txt")
      users += contents(entry.path());
  std::size_t blocks = 0;
  for (const fs::path& page : pages()) {
    if (page.filename() == "README.zh-CN.md") continue;
    const auto text = lines(contents(page));
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != "```cpp") continue;
      ++blocks;
      std::smatch name;
      ASSERT_TRUE(i > 0 && std::regex_match(text[i - 1], name, std::regex("<!-- snippet: ([a-z_]+) -->")))
          << page << ":" << i + 1 << ": no line <!-- snippet: name --> before it";
      const std::string file = name[1];
      EXPECT_TRUE(fs::exists(fs::path(GRADUS_SNIPPETS) / (file + ".cpp"))) << page << ": " << file;
      EXPECT_TRUE(std::regex_search(
          users, std::regex("snippets/" + file + "\\.cpp|foreach\\(name [a-z_ ]*\\b" + file + "\\b")))
          << page << ": nothing compiles " << file;
    }
  }
  EXPECT_GE(blocks, 14U);
}

// The words with underscores that a text has between backquotes: names of ours, or of others.
std::set<std::string> names_in(const std::string& text) {
  static const std::regex quoted("`([^`]+)`"), name("[a-z][a-z0-9]*(_[a-z0-9]+)+");
  std::set<std::string> all;
  for (const std::string& line : prose(text))
    for (std::sregex_iterator at(line.begin(), line.end(), quoted), end; at != end; ++at) {
      const std::string inside = (*at)[1];
      for (std::sregex_iterator word(inside.begin(), inside.end(), name); word != end; ++word)
        all.insert(word->str());
    }
  return all;
}

// The project's words with underscores, where they are defined.
std::set<std::string> names_of_the_project() {
  static const std::set<std::string> kinds{".cpp", ".hpp", ".txt", ".cmake", ".py"};
  static const std::regex name("[a-z][a-z0-9]*(_[a-z0-9]+)+");
  std::set<std::string> all;
  std::vector<fs::path> folders{GRADUS_SNIPPETS};  // the guides' own code
  for (const char* folder : {"framework", "ops", "models", "tests", "benchmarks", "cmake"})
    folders.push_back(project / folder);
  for (const fs::path& folder : folders)
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) all.insert(entry.path().stem().string());
      if (!kinds.contains(entry.path().extension().string())) continue;
      const std::string text = contents(entry.path());
      for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at)
        all.insert(at->str());
    }
  return all;
}

// The change log and the record of mutants tell of names that are gone.
TEST(Documentation, NamesWhatThereIs) {
  const std::set<std::string> known = names_of_the_project();
  std::size_t checked = 0;
  for (const fs::path& page : pages()) {
    if (page.filename() == "CHANGELOG.md" || page.filename() == "RESULTS.md") continue;
    for (const std::string& name : names_in(contents(page))) {
      ++checked;
      EXPECT_TRUE(known.contains(name)) << page << ": " << name;
    }
  }
  EXPECT_GT(checked, 200U);
  EXPECT_FALSE(known.contains(std::string("sigmoid") + "_slope"));
  EXPECT_THAT(names_in("Take `an_op` (`x.old_one(1)`, other_words).\n```\n`in_code`\n```\n"),
              testing::ElementsAre("an_op", "old_one"));
}

std::vector<std::string> code_of(const fs::path& page) {
  std::vector<std::string> blocks;
  bool inside = false;
  for (const std::string& line : lines(contents(page))) {
    if (line == "```cpp") {
      inside = true;
      blocks.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      // Comments are translated.
      const std::string bare = std::regex_replace(line, std::regex(R"(\s*//.*$)"), "");
      if (!bare.empty()) blocks.back() += bare + "\n";
    }
  }
  return blocks;
}

TEST(Documentation, TheChinesePageShowsTheSameCode) {
  EXPECT_EQ(code_of(project / "README.zh-CN.md"), code_of(project / "README.md"));
}

// The texts between quotes on a line, without its comment.
std::vector<std::string> string_literals(const std::string& line) {
  std::vector<std::string> all;
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (!inside && line.compare(i, 2, "//") == 0) break;
    const bool is_character = !inside && line.compare(i, 3, "'\"'") == 0;
    if (is_character) i += 2;
    if (line[i] == '"') {
      inside = !inside;
      if (inside) all.emplace_back();
    } else if (inside) {
      all.back() += line[i];
      if (line[i] == '\\' && i + 1 < line.size()) all.back() += line[++i];
    }
  }
  return all;
}

std::vector<fs::path> library_sources() {
  std::vector<fs::path> found;
  for (const char* folder : {"framework", "ops", "models"})
    for (const auto& entry : fs::recursive_directory_iterator(project / folder)) {
      const auto extension = entry.path().extension();
      const bool program = entry.path().string().find("models/app/cli/") != std::string::npos;
      if (!program && (extension == ".cpp" || extension == ".hpp")) found.push_back(entry.path());
    }
  return found;
}

// The library has no command line: what the program's users are to type, models/app/cli/command_line.cpp
// adds.
TEST(Sources, OfTheLibraryDoNotSpeakOfCommandLineOptions) {
  static const std::regex option("(^|[^a-zA-Z0-9-])--[a-z]");
  static const std::set<std::string> of_other_programs{"--default-settings"};  // gnuplot's
  std::size_t checked = 0;
  for (const fs::path& source : library_sources())
    for (const std::string& line : lines(contents(source)))
      for (const std::string& text : string_literals(line)) {
        ++checked;
        EXPECT_TRUE(of_other_programs.contains(text) || !std::regex_search(text, option))
            << source << ": \"" << text << "\": throw an OptionError";
      }
  EXPECT_GT(checked, 1000U);
}

TEST(Sources, StringLiteralsWouldBeFound) {
  EXPECT_THAT(string_literals(R"(f("a \" b", '"', i--, "--c");  // "d")"),
              testing::ElementsAre(R"(a \" b)", "--c"));
}

TEST(Sources, NameOnlyOptionsThatTheProgramHas) {
  const std::string known = contents(project / "models/app/cli/command_line.cpp");
  static const std::regex error(R"re(OptionError\(\s*\{([^}]*)\})re");
  std::size_t checked = 0;
  for (const fs::path& source : library_sources()) {
    const std::string text = contents(source);
    for (std::sregex_iterator at(text.begin(), text.end(), error), end; at != end; ++at)
      for (const std::string& option : string_literals((*at)[1])) {
        ++checked;
        // A value is spelled behind the option's name, unless both have a name of their own.
        const auto is_known = [&](const std::string& name) {
          return known.find("{\"" + name + "\", ") != std::string::npos;
        };
        EXPECT_TRUE(is_known(option) || is_known(option.substr(0, option.find('='))))
            << source << ": " << option;
      }
  }
  EXPECT_GT(checked, 10U);
}

}  // namespace
