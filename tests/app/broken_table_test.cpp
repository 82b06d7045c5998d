// Broken tables: each message names the cause and a remedy, and the remedy works when it is followed. Options
// that a message names are tried as they stand; an edit that it asks for is the mended table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

using test::Ran;

struct Broken {
  const char* name;
  std::string table;
  std::string options;  // beside --data t.csv --target kind
  std::vector<std::string> says;
  std::string mended = {};               // the table, edited as the message says
  std::vector<std::string> follow = {};  // instead of the options that the message names
  bool instead = false;                  // whether these take the place of those that were given
};

// Rows of x and kind below a header, with one row put where it hurts.
std::string rows(const std::string& header, const std::string& odd, bool first = false) {
  const std::string plain = "1,a\n2,b\n3,a\n5,b\n8,a\n9,b\n";
  return header + "\n" + (first ? odd + "\n" + plain : plain + odd + "\n");
}
// The same with these values of x.
std::string values(const std::vector<std::string>& x, const std::string& delimiter = ",") {
  std::string text = "x" + delimiter + "kind\n";
  for (std::size_t i = 0; i < x.size(); ++i) text += x[i] + delimiter + (i % 2 == 0 ? "a\n" : "b\n");
  return text;
}

const std::vector<Broken>& broken() {
  const std::string good = rows("x,kind", "4,a");
  static const std::vector<Broken> all{
      {"Empty", "", "", {"t.csv", "empty", "header line and rows"}, good},
      {"OnlyAHeader", "x,kind\n", "", {"no rows", "add some"}, good},
      {"NoHeader", "1,2\n3,4\n5,9\n6,8\n7,1\n", "--target c2", {"t.csv:1", "all fields are numbers"}},
      {"WrongDelimiter",
       values({"1", "2", "3", "4", "5"}, ";"),
       "",
       {"no column 'kind'", "another delimiter"}},
      {"WrongDelimiterTab",
       values({"1", "2", "3", "4", "5"}, "\t"),
       "",
       {"no column 'kind'", "--delimiter tab"}},
      {"DecimalCommasUnderCommas",
       "x;kind\n0,5;a\n1,5;b\n2,5;a\n4,5;b\n5,5;a\n",
       "--target 'x;kind'",
       {"t.csv:2", "2 fields, but there are 1 columns", "if ';' separates"},
       {},
       {"--delimiter ';' --target kind --decimal ,"},
       true},
      {"MisspeltTarget",
       rows("x,kinds", "4,a"),
       "",
       {"no column 'kind'", "did you mean 'kinds'?"},
       {},
       {"--target kinds"}},
      {"UnknownExclude",
       rows("size,kind", "4,a"),
       "--exclude sise",
       {"no column 'sise'", "size, kind", "did you mean 'size'?"},
       {},
       {""},
       true},
      {"NamelessColumn",
       "x,,kind\n1,2,a\n2,3,b\n3,1,a\n4,1,b\n5,1,a\n",
       "",
       {"t.csv:1", "column 2 has no name"},
       "x,y,kind\n1,2,a\n2,3,b\n3,1,a\n4,1,b\n5,1,a\n",
       {""}},
      {"NamelessLast",
       "x,kind,\n1,a,7\n2,b,1\n",
       "",
       {"t.csv:2", "3 fields", "give column 3 a name"},
       "x,kind,y\n1,a,7\n2,b,1\n1,a,7\n2,b,1\n3,a,1\n"},
      {"NameTwice",
       "x,x,kind\n1,2,a\n2,3,b\n",
       "",
       {"t.csv:1", "'x'", "rename"},
       "x,y,kind\n1,2,a\n2,3,b\n3,1,a\n4,1,b\n5,1,a\n"},
      {"TitleAboveTheHeader",
       "My flowers\nx,kind\n1,a\n2,b\n3,a\n4,b\n5,a\n",
       "--target 'My flowers'",
       {"t.csv:2", "title", "remove it"},
       good,
       {""},
       true},
      {"FieldLeftOut", rows("x,kind", "7"), "", {"t.csv:8", "1 fields", "add what is missing"}, good},
      {"DelimiterInAField",
       rows("x,kind", "7,a,b"),
       "",
       {"t.csv:8", "3 fields", "into quotes"},
       rows("x,kind", "7,\"a,b\"")},
      {"QuoteNotClosed", rows("x,kind", "7,\"a"), "", {"t.csv:8", "never closed", "add the closing"}, good},
      {"TextBehindQuote",
       rows("x,kind", "7,\"a\"b"),
       "",
       {"t.csv:8", "write \"\" for a quote"},
       rows("x,kind", "7,\"a\"\"b\"")},
      {"QuoteBehindABlank",
       rows("x,kind", "7, \"a\"b"),
       "",
       {"t.csv:8", "behind the closing quote"},
       rows("x,kind", "7, \"a\"\"b\"")},
      {"Latin1", rows("x,kind", "7,\xE9"), "", {"t.csv:8", "not UTF-8", "save the file as UTF-8"}, good},
      {"Utf16",
       std::string("\xFF\xFEx\0,\0k\0\n\0", 10),
       "",
       {"t.csv:1", "UTF-16", "save it as UTF-8"},
       good},
      {"MissingNumber",
       rows("x,kind", ",a"),
       "",
       {"t.csv:8", "column 'x'", "missing ('')", "in 1 of 7 rows"}},
      {"MissingNumberFirst", rows("x,kind", "NA,a", true), "", {"t.csv:2", "column 'x'", "missing ('NA')"}},
      {"MissingText", "c,kind\nr,a\ng,b\n,a\nr,b\ng,a\nr,b\n", "", {"t.csv:4", "column 'c'", "missing"}},
      {"MissingByName", rows("x,kind", "-999,a"), "--na=-999", {"t.csv:8", "missing ('-999')"}},
      {"MissingTarget", rows("x,kind", "7,"), "", {"t.csv:8", "column 'kind'", "missing"}},
      {"NoValueAtAll",
       "x,y,kind\n1,,a\n2,,b\n3,,a\n4,,b\n5,,a\n",
       "",
       {"column 'y'", "in every row", "leave it out"}},
      {"NoRowIsLeft",
       "x,y,kind\n1,,a\n,2,b\n3,,a\n4,,b\n5,,a\n1,,b\n6,,a\n7,,b\n",
       "--missing drop --validation-split 0.2",
       {"no row is left", "'y'"},
       {},
       {"--exclude y"}},
      {"WordAmongNumbers",
       rows("x,kind", "unknown,a"),
       "",
       {"t.csv:8", "'unknown' is not a number, as 6 of"}},
      {"WordFirst", rows("x,kind", "unknown,a", true), "", {"t.csv:2", "'unknown' is not a number, as 6 of"}},
      {"WordAmongDates",
       values({"2020-01-02", "2020-02-02", "soon", "2020-02-05", "03.02.2020"}),
       "",
       {"t.csv:4", "'soon' is not a date, as 4 of"}},
      {"NoSuchDay",
       values({"2020-01-02", "2020-02-31", "2020-03-02", "2020-02-05", "2020-02-06", "1.2.2020", "3.2.2020"}),
       "",
       {"t.csv:3", "'2020-02-31' is not a date"}},
      {"Infinite", rows("x,kind", "inf,a"), "", {"t.csv:8", "no finite number", "correct it"}, good},
      {"BeyondDouble", rows("x,kind", "1e999,a"), "", {"t.csv:8", "no finite number"}, good},
      {"DecimalCommas",
       values({"0,5", "1,5", "2", "2,25", "4"}, ";"),
       "--delimiter ';'",
       {"t.csv:2", "'0,5'", "',' as its decimal sign"}},
      {"DecimalCommasOfThreeDigits",
       values({"0,403", "-0,024", "1,288", "2,250", "4,125"}, ";"),
       "--delimiter ';'",
       {"t.csv:2", "'0,403'", "',' as its decimal sign"}},
      {"DecimalCommasThatCouldBeThousands",
       values({"1,403", "-5,024", "1,288", "2,250", "4,125"}, ";"),
       "--delimiter ';'",
       {"t.csv:2", "'1,403'", "',' as its decimal sign", "',' between its thousands", "say which"}},
      {"DecimalCommaOnce",
       values({"0.5", "1.5", "2", "2,25", "4"}, ";"),
       "--delimiter ';'",
       {"t.csv:5", "'2,25'"},
       values({"0.5", "1.5", "2", "2.25", "4"}, ";"),
       {"--text x"}},
      {"Thousands",
       values({"\"1,000\"", "\"2,500\"", "950", "12", "1"}),
       "",
       {"t.csv:2", "'1,000'", "',' between"}},
      {"ThousandsWithBlanks",
       values({"1 000", "2 500", "950", "12 000 000", "1"}),
       "",
       {"t.csv:2", "' ' between"}},
      {"EuropeanNumbers",
       values({"1.000,50", "2.500,00", "1.000.000", "7,5", "3.000,25"}, ";"),
       "--delimiter ';'",
       {"t.csv:2", "',' as its decimal sign and '.' between"}},
      {"SwissNumbers",
       values({"1'000.50", "2'500.00", "1'000'000", "7.5", "3'000.25"}),
       "",
       {"t.csv:2", "''' between"}},
      {"PointsForThousandsBesideCommas",
       "x;kind\n1.234;0,5\n2.500;1,5\n12.000;0,5\n1.234;1,5\n2.500;0,5\n",
       "--delimiter ';'",
       {"t.csv:2", "'0,5'", "',' as its decimal sign and '.' between"}},
      {"PointsForThousandsUnderCommas",
       "x;kind\n1.234;0,5\n2.500;1,5\n12.000;0,5\n1.234;1,5\n2.500;0,5\n",
       "--delimiter ';' --decimal ,",
       {"t.csv:2", "'1.234'", "'.' between its thousands"}},
      {"TwoDecimalSigns",
       "x;kind\n1.25;0,5\n2.5;1,5\n1.25;0,5\n1.2;1,5\n2.5;0,5\n",
       "--delimiter ';'",
       {"t.csv:2", "'0,5'", "so are not all columns", "(--text kind)"}},
      {"DecimalCommasUnderThousands",
       values({"0,5", "1,55", "2,25", "0,125", "4,5"}, ";"),
       "--delimiter ';' --thousands ,",
       {"t.csv:2", "'0,5'", "--decimal ',' --thousands none"}},
      {"MonthFirst",
       values({"12/31/2020", "1/2/2021", "3/5/2021", "3/6/2021", "4/6/2021"}),
       "",
       {"t.csv:2", "'12/31/2020'", "month first", "2020-12-31"}},
      {"MonthFirstLater",
       values({"1-2-2021", "3-5-2021", "3-6-2021", "4-16-2021", "4-7-2021"}),
       "",
       {"t.csv:5", "'4-16-2021'", "month first"}},
      {"NoTargetAtAll",
       "x,kind\n1,\n2,\n3,\n",
       "",
       {"column 'kind'", "in every row", "fill the column in, or name another"},
       good},
      {"NoTargetAtAllWithMeans",
       "x,kind\n1,\n,\n3,\n",
       "--missing mean",
       {"column 'kind'", "in every row", "fill the column in, or name another"},
       good},
      {"NoTargetAtAllAndNoFeature", "x,kind\n,\n", "--missing drop", {"no rows below the header"}, good},
      {"MissingWeight",
       "x,w,kind\n1,1,a\n2,,b\n3,1,a\n4,2,b\n5,1,a\n6,1,b\n",
       "--weight w",
       {"t.csv:3", "column 'w'", "(--missing drop)"}},
      {"NoWeightAtAll",
       "x,w,kind\n1,,a\n2,,b\n3,,a\n",
       "--weight w",
       {"column 'w'", "in every row", "fill the column in"},
       "x,w,kind\n1,1,a\n2,1,b\n3,1,a\n4,1,b\n5,2,a\n"},
      {"NoValueInAColumnWithACommaInItsName",
       "x,\"a,b\",kind\n1,,a\n2,,b\n3,,a\n4,,b\n5,,a\n",
       "",
       {"column 'a,b'", "in every row", "leave it out"}},
      {"WordWithAComma",
       rows("x,kind", "\"none, yet\",a"),
       "",
       {"t.csv:8", "'none, yet' is not a number"},
       {},
       {"--na '\"none, yet\"' --missing drop", "--text x"}},
      {"OnlyTheTargetIsLeft",
       good,
       "--exclude x",
       {"no column to predict 'kind' from, with 'x' left out", "(--exclude)"},
       {},
       {""},
       true},
      {"OnlyAWeightIsLeft",
       good,
       "--weight x",
       {"no column to predict 'kind' from, with 'x' for the rows' weights", "(--weight)"},
       {},
       {""},
       true},
      {"SignsOfNumbersAsTheDecimalSign",
       good,
       "--decimal -",
       {"'-' cannot be the decimal sign", "(--decimal)"},
       {},
       {"--decimal ,"},
       true},
      {"DigitsBetweenThousands",
       good,
       "--thousands 5",
       {"'5' cannot separate thousands", "(--thousands)"},
       {},
       {"--thousands ,", ""},
       true},
      {"OneCharacterForTwo",
       good,
       "--decimal , --thousands ,",
       {"cannot be the decimal sign and separate"},
       {},
       {"--decimal , --thousands .", "--thousands ,"},
       true},
      {"OneColumn", "kind\na\nb\na\nb\n", "", {"the only column", "must be others"}, good, {""}},
      {"OneClass", "x,kind\n1,a\n2,a\n3,a\n4,a\n", "", {"only one class, 'a'", "at least two"}, good},
      {"AClassEach",
       "x,kind\n1,7\n2,8\n3,1\n4,5\n5,4\n",
       "--classify",
       {"every row has a class of its own", "(--regress)"},
       {},
       {"--regress"},
       true},
      {"RegressText",
       good,
       "--regress",
       {"t.csv:2", "column 'kind'", "'a' is not a number, as its values must be"},
       {},
       {""},
       true},
      {"StratifiedNumbers",
       "x,kind\n1,7\n2,8\n3,1\n4,7\n5,8\n6,1\n7,8\n8,7\n9,7\n",
       "--stratify",
       {"have no classes", "(--stratify, --classify)"},
       {},
       {"--stratify --classify", ""},
       true},
      {"StratifiedInOrder",
       "x,kind\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n7,a\n8,b\n9,a\n",
       "--stratify --in-order",
       {"cannot be drawn from each class", "(no --stratify, no --in-order)"},
       {},
       {"--stratify", "--in-order"},
       true},
      {"ClassOnlyInValidation",
       "x,kind\n1,a\n2,b\n3,a\n4,b\n5,c\n",
       "--in-order --strict",
       {"t.csv:6", "class 'c'", "(no --strict,"},
       {},
       {"no --strict"}},
      {"LevelOnlyInValidation",
       "c,kind\nr,a\ng,b\nr,a\ng,b\nu,a\n",
       "--in-order --strict",
       {"t.csv:6", "column 'c': 'u'", "g, r"}},
      {"NoRowForTraining",
       good,
       "--validation-split 0.9",
       {"leaves 0 of 7", "some of both"},
       {},
       {"--validation-split 0.3"},
       true},
  };
  return all;
}

class BrokenRemedy : public test::FolderTest, public testing::WithParamInterface<Broken> {
 protected:
  Ran run(const std::string& table, std::string options) const {
    write("t.csv", table);
    if (options.find("--target") == std::string::npos) options += " --target kind";
    if (options.find("no --strict") != std::string::npos)
      for (std::size_t at = 0; (at = options.find("--strict")) != std::string::npos;) {
        const bool no = at >= 3 && options.compare(at - 3, 3, "no ") == 0;
        options.erase(no ? at - 3 : at, no ? 11 : 8);
      }
    return test::run_gradus("train mlp --data t.csv --epochs 1 " + options,
                            "cd '" + folder_.string() + "' &&");
  }
};

// "--a, --b c" of a message that ends with "(--a, --b c)".
std::vector<std::string> options_in(const std::string& message) {
  std::vector<std::string> options;
  const std::size_t close = message.rfind(")\n"), open = message.rfind(" (", close);
  if (close == std::string::npos || open == std::string::npos || close + 2 != message.size()) return options;
  std::string rest = message.substr(open + 2, close - open - 2);
  if (!rest.starts_with("--") && !rest.starts_with("no --")) return options;
  for (std::size_t at = 0; (at = rest.find(", ")) != std::string::npos; rest = rest.substr(at + 2))
    options.push_back(rest.substr(0, at));
  options.push_back(rest);
  return options;
}

TEST_P(BrokenRemedy, WorksWhenItIsFollowed) {
  const Broken& broken = GetParam();
  const Ran refused = run(broken.table, broken.options);
  EXPECT_NE(refused.status, 0) << refused.output;
  test::expect_parts(refused.output, broken.says);
  const std::vector<std::string> follow = broken.follow.empty() ? options_in(refused.output) : broken.follow;
  EXPECT_TRUE(!follow.empty() || !broken.mended.empty()) << "no remedy: " << refused.output;
  for (const std::string& option : follow) {
    const Ran mended = run(broken.mended.empty() ? broken.table : broken.mended,
                           broken.instead ? option : broken.options + " " + option);
    EXPECT_EQ(mended.status, 0) << option << ": " << mended.output;
  }
  if (!broken.mended.empty() && broken.follow.empty()) {
    EXPECT_EQ(run(broken.mended, broken.options).status, 0) << run(broken.mended, broken.options).output;
  }
}

INSTANTIATE_TEST_SUITE_P(All, BrokenRemedy, testing::ValuesIn(broken()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace gradus
