// Tables as other programs write them: read as they are, or refused for what they are. Each kind is swept
// with its neighbours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

using test::Ran;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AsWritten : public test::ProgramTest {
 protected:
  // Of a table with the columns x and kind.
  Ran train(const std::string& table, const std::string& options = "") const {
    write("t.csv", table);
    return run("train mlp --data t.csv --target kind --epochs 1 --validation-split 0.25 --save m " + options);
  }
  // As train; the table must be read with these rows and features.
  std::string trained(const std::string& table, int rows, int features,
                      const std::string& options = "") const {
    const Ran ran = train(table, options);
    EXPECT_EQ(ran.status, 0) << table << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("t.csv: " + std::to_string(rows) + " rows, " +
                                      std::to_string(features) + " features;"))
        << table;
    return ran.output;
  }
};

std::string joined(const std::vector<std::string>& fields, const std::string& delimiter) {
  std::string line;
  for (const std::string& field : fields) line += (line.empty() ? "" : delimiter) + field;
  return line + "\n";
}

// Eight rows of x and kind, behind what stands in front of them.
std::string body(const std::string& delimiter, const auto& front_of) {
  std::string text;
  for (int i = 0; i < 8; ++i)
    text += front_of(i) + joined({std::to_string(i % 5) + ".5", i % 2 == 0 ? "a" : "b"}, delimiter);
  return text;
}
std::string body(const std::string& delimiter = ",") {
  return body(delimiter, [](int) { return std::string(); });
}

TEST_F(AsWritten, AColumnOfRowNumbersWithoutANameIsLeftOut) {
  const auto number = [](int i) { return std::to_string(i) + ","; };
  const auto quoted = [](int i) { return "\"" + std::to_string(i + 1) + "\","; };
  const auto name = [](int i) { return "\"Row " + std::to_string(i) + "\","; };
  const auto two = [](int i) { return std::to_string(i / 2) + "," + std::to_string(i % 2) + ","; };
  for (const std::string& table :
       {",x,kind\n" + body(",", number), "\"\",\"x\",\"kind\"\n" + body(",", quoted),
        " ,x,kind\n" + body(",", name), ",,x,kind\n" + body(",", two)}) {
    EXPECT_THAT(trained(table, 8, 1), HasSubstr("column 1 has no name"));
    EXPECT_EQ(run("predict m --data t.csv").status, 0);
    trained(table, 8, 2, "--features c1,x");
    EXPECT_EQ(run("predict m --data t.csv").status, 0);
  }
  // Where no column is asked for that has none, it is no matter where it stands.
  const std::string spaced = "x,,kind\n0.5,7,a\n1.5,7,b\n2.5,7,a\n0.5,7,b\n";
  EXPECT_THAT(train(spaced).output, AllOf(HasSubstr("column 2 has no name"), HasSubstr("(--exclude c2)")));
  trained(spaced, 4, 1, "--exclude c2");
  trained(spaced, 4, 1, "--features x");
  EXPECT_THAT(run("predict m --data t.csv").output, testing::StartsWith("prediction,"));
}

TEST_F(AsWritten, RowsMayHaveANameThatTheHeaderHasNot) {
  const auto quoted = [](int i) { return "\"" + std::to_string(i + 1) + "\""; };
  const auto plain = [](int i) { return std::to_string(i + 1); };
  for (const auto& [sign, option] : std::vector<std::pair<std::string, std::string>>{
           {",", ""}, {" ", "--delimiter space"}, {"\t", "--delimiter tab"}, {";", "--delimiter ';'"}}) {
    const auto in_front = [&behind = sign](auto name) {
      return [&, name](int i) { return name(i) + behind; };
    };
    EXPECT_THAT(trained("\"x\"" + sign + "\"kind\"\n" + body(sign, in_front(quoted)), 8, 1, option),
                HasSubstr("each row has a field more than the header"));
    EXPECT_EQ(run("predict m --data t.csv").status, 0);
    const Ran unquoted = train("x" + sign + "kind\n" + body(sign, in_front(plain)), option);
    // Between commas it may be a decimal comma, or a text without its quotes.
    EXPECT_EQ(unquoted.status != 0, sign == ",") << unquoted.output;
  }
  // A row with a field too many makes no names of the others' fields.
  EXPECT_THAT(train("x,kind\n" + body() + "1,a,b\n").output, HasSubstr("t.csv:10: 3 fields"));
  EXPECT_THAT(train("x,kind\n\"1\",a,b\n" + body()).output, HasSubstr("t.csv:2: 3 fields"));
}

TEST_F(AsWritten, BlanksThatAlignColumnsAreOneDelimiter) {
  for (const std::string& table :
       {"   x    kind\n" + body("    "), "x kind  \n" + body("  ", [](int) { return std::string("   "); }),
        "x kind\n\n   \n" + body(" "), "# written by hand\nx  kind\n" + body("   ")}) {
    trained(table, 8, 1, "--delimiter space");
    EXPECT_EQ(run("predict m --data t.csv").status, 0);
  }
  EXPECT_THAT(trained("x kind\n\"\"  a\n1 b\n2 a\n3 b\n", 4, 1, "--delimiter space --missing mean"),
              HasSubstr("3        1"));
}

TEST_F(AsWritten, LinesWithoutValuesAreNoRowsAndNoHeader) {
  const std::string header = "x,kind\n", rows = body();
  for (const std::string line : {"\n", "  \n", "\t\n", " \t \n", ",\n", " , \n", ",,,\n", "# a, b, c\n"}) {
    trained(line + header + rows, 8, 1);
    trained(line + line + header + rows, 8, 1);
    trained(header + line + rows, 8, 1);
    trained(header + rows.substr(0, 18) + line + rows.substr(18), 8, 1);
    trained(header + rows + line, 8, 1);
  }
}

TEST_F(AsWritten, ALineThatNamesTheDelimiterMayHaveMoreBehindIt) {
  for (const std::string sign : {",", ";", "\t", "|", ":"})
    for (const std::string sep : {"sep=", "Sep=", "SEP=", "sEp="})
      for (const std::string behind : {"", " ", ",", ",,", ";;", " \t"})
        trained(sep + sign + behind + "\nx" + sign + "kind\n" + body(sign), 8, 1);
  trained("sep=\\t\nx\tkind\n" + body("\t"), 8, 1);
  // Any other text behind it makes it a name.
  EXPECT_NE(train("sep=;x\nx;kind\n" + body(";")).status, 0);
}

TEST_F(AsWritten, ATitleIsSaidToBeInTheWay) {
  for (const std::string title : {"My table", "My table,", "My table,,", "My table,,,", "Report,2020,,"})
    for (const std::string target : {"kind", "'My table'"}) {
      const std::string rows = "x,y,z,kind\n1,2,3,a\n2,2,3,b\n3,1,3,a\n4,1,3,b\n";
      write("t.csv", title + "\n" + rows);
      const Ran refused = run("train mlp --data t.csv --target " + target);
      EXPECT_THAT(refused.output, HasSubstr("title, remove it")) << title;
      trained(rows, 4, 3);
    }
}

TEST_F(AsWritten, TwoColumnsOfOneNameMatterToWhoAsksForThem) {
  const std::string table = "x,z,z,kind\n0.5,1,2,a\n1.5,2,2,b\n2.5,1,2,a\n0.5,1,1,b\n";
  const Ran refused = train(table);
  EXPECT_THAT(refused.output,
              AllOf(HasSubstr("t.csv:1: two columns are called 'z'"), HasSubstr("(--exclude z)")));
  trained(table, 4, 1, "--exclude z");
  trained(table, 4, 1, "--features x");
  EXPECT_EQ(run("predict m --data t.csv").status, 0);
  EXPECT_THAT(train(table, "--features z").output, HasSubstr("two columns are called 'z'"));
}

TEST_F(AsWritten, NamesMayBeNumbersWhereThatIsSaid) {
  std::string rows;
  for (int i = 0; i < 8; ++i)
    rows += joined({std::to_string(i % 5), std::to_string(i % 3), std::to_string(i % 2)}, ",");
  for (const std::string header : {"0,1,2\n", "1,10,2\n", "2019,2020,2\n"}) {
    write("t.csv", header + rows);
    const std::string command = "train mlp --data t.csv --epochs 1 --save m --target ";
    EXPECT_THAT(run(command + "2").output, HasSubstr("if they are the names, say so (--header)"));
    EXPECT_THAT(run(command + "2 --header").output, HasSubstr("t.csv: 8 rows, 2 features"));
    EXPECT_THAT(run("predict m --data t.csv").output, testing::StartsWith("prediction\n"));
    EXPECT_THAT(run(command + "c3").output, HasSubstr("(--no-header)"));
    EXPECT_EQ(run(command + "c3 --no-header").status, 0);
  }
}

// Each row has its answer, in the same place.
TEST_F(AsWritten, AnswersLineUpWithRowsOrAreSaidNotTo) {
  trained("x,kind\n" + body(), 8, 1);
  const auto lines = [&](const std::string& table) {
    write("p.csv", table);
    const Ran ran = run("predict m --data p.csv --output o.csv");
    EXPECT_EQ(ran.status, 0) << ran.output;
    std::string kinds;
    const std::string answers = read("o.csv");
    for (std::size_t at = answers.find('\n') + 1; at < answers.size(); at = answers.find('\n', at) + 1)
      kinds += answers.compare(at, 2, "NA") == 0 ? '-' : 'o';
    return std::pair(kinds, ran.output);
  };
  EXPECT_EQ(lines("x,y\n1,2\n,\n3,\n").first, "o-o");
  EXPECT_EQ(lines("x,y\n,\n,\n1,2\n ,\t\n3,4\n").first, "--o-o");
  EXPECT_EQ(lines("x,y\n1,2\n,,,\n3,4\n").first, "o-o");
}

TEST_F(AsWritten, LinesThatGetNoAnswerAreTold) {
  trained("x,kind\n" + body(), 8, 1);
  write("p.csv", "# c\n\nx,y\n1,2\n# c\n\n \n3,4\n,\n,\n\n");
  const Ran ran = run("predict m --data p.csv --output o.csv");
  EXPECT_THAT(ran.output, AllOf(HasSubstr("note: p.csv: 1 comments (#) are passed over"),
                                HasSubstr("note: p.csv: 2 empty lines between rows are passed over"),
                                Not(HasSubstr("rows of empty fields"))));
  EXPECT_EQ(std::ranges::count(read("o.csv"), '\n'), 3);
}

}  // namespace
}  // namespace gradus
