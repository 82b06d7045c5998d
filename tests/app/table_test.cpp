// Tables from CSV, NPY and NPZ: what they hold, and that what is broken is refused by file, line or row, and
// column, in memory that the file's size bounds.
#include "gradus/data/table.hpp"

#include <algorithm>
#include <cmath>

#include "gradus/data/csv.hpp"
#include "gradus/data/npy.hpp"
#include "gradus/data/npz.hpp"
#include "gradus/data/read_table.hpp"
#include "gradus/data/zip_writer.hpp"
#include "tests/support/broken_files.hpp"

namespace gradus {
namespace {

using test::BrokenFile;
using testing::ElementsAre;
using testing::HasSubstr;

using TableFile = test::FolderTest;

TEST_F(TableFile, OfCsvHasNumbersAndLabels) {
  write("\xEF\xBB\xBFx,\"a \"\"b\"\"\",k\r\n1,\"two\nlines\", é \n\n-2.5e-3,z,b\n+.5,z,é");
  const Table table = read_table(file());
  ASSERT_EQ(table.rows(), 3U);
  EXPECT_THAT(table.column("x").numbers, ElementsAre(1, -2.5e-3, 0.5));
  EXPECT_THAT(table.column("k").labels, ElementsAre("é", "b"));
  EXPECT_THAT(table.column("k").codes, ElementsAre(0U, 1U, 0U));
  EXPECT_THAT(table.column("a \"b\"").labels, ElementsAre("two\nlines", "z"));
  EXPECT_EQ(table.place(0, "k"), file() + ":2: column 'k'");
  EXPECT_EQ(table.place(1, "k"), file() + ":5: column 'k'");
}

TEST_F(TableFile, OfArraysHasAColumnForEach) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  const std::vector<double> y{10, 2.5, 10};
  const std::vector<TensorBytes> arrays{tensor_bytes("x", {3, 2}, x), tensor_bytes("y", {3}, y)};
  write_npz(file(), arrays, {.deflate = true});
  const Table table = read_table(file(), {.text = {"y"}});
  ASSERT_EQ(table.columns().size(), 3U);
  EXPECT_THAT(table.column("x1").numbers, ElementsAre(1, 3, 5));
  EXPECT_THAT(table.column("x2").numbers, ElementsAre(2, 4, 6));
  EXPECT_THAT(table.column("y").labels, ElementsAre("10", "2.5"));
  EXPECT_THAT(table.column("y").codes, ElementsAre(0U, 1U, 0U));
  EXPECT_EQ(table.place(2, "y"), file() + ": row 2: column 'y'");
  write_npy(file(), arrays[0]);
  const Table chosen = read_table(file(), {.columns = {"c2"}});
  ASSERT_EQ(chosen.columns().size(), 1U);
  EXPECT_THAT(chosen.columns()[0].numbers, ElementsAre(2, 4, 6));
}

// The kind of a column comes from all rows, and so does its refusal: no order of the rows changes them.
TEST_F(TableFile, TheOrderOfRowsHasNoInfluenceOnKinds) {
  struct Case {
    std::vector<std::string> fields;
    std::string kind;  // or what the error says
  };
  const std::vector<Case> cases{{{"1", "2.5", "-3e2"}, "number"},
                                {{"1", "1e-400", "+2"}, "number"},
                                {{"a", "b", "NA"}, "text"},
                                {{"None", "b", "b"}, "text"},
                                {{"NA", "null", "?"}, "text"},
                                {{"a", "b", "7"}, "text"},
                                {{"2020-01-02", "03.04.2020", "5/6/2020"}, "date"},
                                {{"2020-01-02T10:30", "2020-01-02 10:30:01.5", "2020-01-02"}, "date"},
                                {{"2020-01-02", "a", "b"}, "text"},
                                {{"1", "2", "x"}, "'x' is not a number, as 2 of the column's 3 values are"},
                                {{"1", "x", "NA"}, "'x' is not a number, as 1 of the column's 2 values are"},
                                {{"2020-01-02", "2020-13-02", "1.1.2020"}, "'2020-13-02' is not a date"},
                                {{"1", "2", "inf"}, "'inf' is no finite number"},
                                {{"1", "2", "NA"}, "the value is missing ('NA'), in 1 of 3 rows"},
                                {{"0,5", "1", "1,25"}, "',' as its decimal sign"},
                                {{"1,000", "1", "12,000"}, "',' between its thousands"},
                                {{"1.000,5", "7", "12.000"}, "'.' between its thousands"}};
  for (const Case& c : cases) {
    std::vector<std::string> fields = c.fields;
    std::ranges::sort(fields);
    do {
      std::string text = "x;k\n";
      for (const std::string& field : fields) text += field + ";k\n";
      write(text);
      std::string kind;
      const std::string error = test::error_of([&] {
        const TableColumn column = read_table(file(), {.delimiter = ';'}).column("x");
        kind = column.is_date ? "date" : column.is_number ? "number" : "text";
      });
      EXPECT_THAT(kind.empty() ? error : kind, HasSubstr(c.kind)) << text;
    } while (std::ranges::next_permutation(fields).found);
  }
}

TEST_F(TableFile, NumbersAreReadInEveryStyle) {
  struct Case {
    NumberStyle style;
    std::vector<std::pair<std::string, double>> numbers;
    std::vector<std::string> none;
  };
  const std::vector<Case> cases{{{},
                                 {{"1e-400", 0},
                                  {"-0.000e5", 0},
                                  {" 7 ", 7},
                                  {"1e-308", 1e-308},
                                  {"0." + std::string(400, '0') + "1", 0},
                                  {"1" + std::string(400, '0') + "e-400", 1}},
                                 {"1,5", "1 000", "0x10", "1e5x", "--1", "+-1", ""}},
                                {{',', '.'},
                                 {{"1,5", 1.5},
                                  {"1.000", 1000},
                                  {"-1.234.567,25", -1234567.25},
                                  {"12", 12},
                                  {"1,5e3", 1500},
                                  {",5", 0.5}},
                                 {"1.00", "1.5", "1,000.5", "1.000.00", ".100", "1,2,3", "1..000", "1.0000"}},
                                {{'.', ','},
                                 {{"1,000.5", 1000.5}, {"999", 999}, {"+1,000", 1000}},
                                 {"1,00", "10,00.5", "1,000,", "1.000,000", ","}},
                                {{',', '\0'}, {{"1,000", 1}, {"0,5", 0.5}}, {"1.000", "1.5"}},
                                {{'.', ' '},
                                 {{"1 000", 1000},
                                  {"1\xC2\xA0"
                                   "000",
                                   1000},
                                  {"1\xE2\x80\xAF"
                                   "000.5",
                                   1000.5}},
                                 {"1 00", "1  000"}},
                                {{'.', '\''}, {{"1'000.5", 1000.5}}, {"1'0"}}};
  for (const Case& c : cases) {
    for (const auto& [text, value] : c.numbers) {
      write("x\n\"" + text + "\"\n7\n");
      EXPECT_EQ(read_table(file(), {.style = c.style}).column("x").numbers.front(), value) << text;
    }
    for (const std::string& text : c.none) {
      write("x\n\"" + text + "\"\n7\n8\n");
      EXPECT_NE(test::error_of([&] { read_table(file(), {.style = c.style}); }), "no error") << text;
    }
  }
  EXPECT_THAT(test::error_of([&] {
                read_table(file(), {.style = {',', ','}});
              }),
              HasSubstr("cannot be the decimal sign"));
}

TEST_F(TableFile, DatesAreDaysSince1970) {
  const std::vector<std::pair<std::string, double>> dates{
      {"1970-01-01", 0},     {"1970-01-02T12:00", 1.5}, {"1969-12-31", -1},
      {"2000-02-29", 11016}, {"29.02.2000", 11016},     {"29/2/2000", 11016},
      {"2000/02/29", 11016}, {"29-02-2000", 11016},     {"1.1.1970 06:00:00Z", 0.25}};
  for (const auto& [text, days] : dates) {
    write("x\n" + text + "\n2020-01-01\n");
    const TableColumn column = read_table(file()).column("x");
    EXPECT_TRUE(column.is_date);
    EXPECT_EQ(column.numbers.front(), days) << text;
  }
  for (const char* text :
       {"2001-02-29", "31.04.2020", "12/31/2020", "2020-01-01T25:00", "2020-01/01", "1.1.20", "2020-1"}) {
    write(std::string("x\n") + text + "\n");
    EXPECT_FALSE(read_table(file(), {.text = {}}).column("x").is_number) << text;
  }
}

TEST_F(TableFile, WhatSpreadsheetsAndEditorsLeaveIsPassedOver) {
  const std::string plain = "x,k\n1,\"a, b\"\n2,c\n";
  for (const std::string& text : std::vector<std::string>{
           plain, std::string("\xEF\xBB\xBF") + plain, std::string("x,k\r1,\"a, b\"\r2,c\r"),
           std::string("x,k\r1,\"a, b\"\r2,c"), std::string("sep=;\nx;k\n1;a, b\n2;c\n"),
           std::string("\xEF\xBB\xBFsep=\t\r\nx\tk\r\n1\ta, b\r\n2\tc\r\n"),
           std::string("x,k,\n1,\"a, b\",\n2,c,\n"), std::string("x,k\n1,\"a, b\",\n2,c,,,\n"),
           std::string("x,k,,\n1,\"a, b\"\n2,c\n"), std::string("x,k\n1, \"a, b\"\n2, c\n"),
           std::string("x , k\n1\t, \"a, b\" \n 2 , c \n"),
           std::string("# by me\n\nx,k\n1,\"a, b\"\n# so far, so, good\n2,c\n"),
           std::string("# by \"me\n# and, you, \"\nx,k\n1,\"a, b\"\n2,c\n#\n"),
           std::string("# x,k\n1,\"a, b\"\n2,c\n"), std::string("x,k\n1,\"a, b\"\n,\n2,c\n , \n,\n")}) {
    write(text);
    const Table table = read_table(file());
    ASSERT_EQ(table.rows(), 2U) << text;
    ASSERT_EQ(table.columns().size(), 2U) << text;
    EXPECT_THAT(table.column("x").numbers, ElementsAre(1, 2)) << text;
    EXPECT_THAT(table.column("k").labels, ElementsAre("a, b", "c")) << text;
  }
  // Without a header, with one that says no more, and with a label that looks like a comment.
  for (const char* text :
       {"#1,a,\n2,b,\n", "c1,c2\n#1,a\n2,b\n", "#1,\"a, b\"\n2,b\n", "2,b\n#1,\"a, b\"\n"}) {
    write(text);
    EXPECT_THAT(read_table(file(), {.text = {"c1"}, .header = false}).column("c1").labels,
                testing::UnorderedElementsAre("#1", "2"));
  }
}

TEST_F(TableFile, MissingValuesAreKeptOrTheirRowsDropped) {
  write("x,k,t\n1,a,u\nNA,b,u\n3,,v\nnone,-,\n5,a,v\n");
  ReadTableOptions options{.complete = {"t"}, .na = {"none", "-"}, .missing = MissingValues::keep};
  const Table kept = read_table(file(), options);
  ASSERT_EQ(kept.rows(), 4U);
  EXPECT_THAT(kept.column("x").numbers, ElementsAre(1, testing::IsNan(), 3, 5));
  EXPECT_EQ(kept.column("x").missing, 1U);
  EXPECT_THAT(kept.column("k").labels, ElementsAre("a", "b", ""));
  EXPECT_THAT(kept.column("k").codes, ElementsAre(0U, 1U, 2U, 0U));
  EXPECT_EQ(kept.place(3, "x"), file() + ":6: column 'x'");
  EXPECT_THAT(kept.notes(), ElementsAre(HasSubstr("1 of 5 rows")));
  options.missing = MissingValues::drop;
  const Table dropped = read_table(file(), options);
  EXPECT_THAT(dropped.column("x").numbers, ElementsAre(1, 5));
  EXPECT_EQ(dropped.place(1, "x"), file() + ":6: column 'x'");
  options.exclude = {"x"};
  EXPECT_EQ(read_table(file(), options).rows(), 3U);
  const std::vector<double> x{1, NAN, 3};
  write_npz(file(), std::vector{tensor_bytes("x", {3}, x)});
  const Table arrays = read_table(file(), {.missing = MissingValues::drop});
  EXPECT_THAT(arrays.column("x").numbers, ElementsAre(1, 3));
  EXPECT_EQ(arrays.place(1, "x"), file() + ": row 2: column 'x'");
  EXPECT_EQ(read_table(file(), {.missing = MissingValues::keep}).column("x").missing, 1U);
}

// Of an archive, only what is asked for must fit.
TEST_F(TableFile, OtherArraysOfAnArchiveDoNotMatter) {
  const std::vector<double> x{1, 2, 3, 4, 5, 6}, y{1, 2, 3};
  write_npz(file(),
            std::vector{tensor_bytes("other", {6}, x), tensor_bytes("x", {3, 2}, x),
                        tensor_bytes("y", {3}, y), tensor_bytes("scalar", {}, std::span(y).first(1))});
  EXPECT_THAT(test::error_of([&] { read_table(file()); }),
              HasSubstr("array 'x' has 3 rows, but those before have 6"));
  EXPECT_EQ(read_table(file(), {.columns = {"x2", "y"}}).rows(), 3U);
  const Table table = read_table(file(), {.complete = {"y"}});
  EXPECT_EQ(table.columns().size(), 3U);
  EXPECT_THAT(table.notes(), ElementsAre(HasSubstr("array 'other' [6] is left out, as 'y' has 3 rows"),
                                         HasSubstr("array 'scalar'")));
  EXPECT_THAT(test::error_of([&] {
                read_table(file(), {.columns = {"y", "other"}});
              }),
              HasSubstr("'y' has 3 rows"));
}

const std::vector<BrokenFile>& broken_csv() {
  static const std::vector<BrokenFile> all{
      {"Empty", "", {"it is empty"}},
      {"OnlyAMark", "\xEF\xBB\xBF", {"it is empty"}},
      {"OnlyAHeader", "x,k", {"no rows"}},
      {"HeaderOfNumbers", "1,2\n3,4\n", {":1", "header"}},
      {"Utf16",
       std::string("\xFF\xFEx\0\n\0"
                   "1\0\n\0",
                   10),
       {":1", "column 1", "UTF-8"}},
      {"HeaderOfLatin1", "pr\xE9nom\nx\n", {":1", "column 1", "UTF-8"}},
      {"NoName", "x,,y\n1,2,3\n", {":1", "column 2", "no name"}},
      {"NameTwice", "x,y,x\n1,2,3\n", {":1", "two columns are called 'x'"}},
      {"NameNotClosed", "x,\"y\n1,2\n", {":1", "column 2", "never closed"}},
      {"FieldTooFew", "x,y\n1,2\n3\n", {":3", "1 fields, but there are 2 columns"}},
      {"FieldTooMany", "x,y\n1,2\n\n3,4,5,6\n", {":4", "4 fields"}},
      {"Missing", "x,y\n1,2\n3,\n", {":3", "column 'y'", "missing"}},
      {"MissingWord", "x\n1\nNULL\n", {":3", "column 'x'", "'NULL'"}},
      {"MissingLabel", "k\na\n\"\"\n", {":3", "column 'k'", "missing"}},
      {"Word", "x\n1\none\n", {":3", "column 'x'", "'one' is not a number"}},
      {"TwoNumbers", "x\n1\n2 3\n", {":3", "column 'x'", "'2 3'"}},
      {"DecimalComma", "x;y\n1;2\n3;4,5\n", {":3", "2 fields, but there are 1 columns"}},
      {"Hexadecimal", "x\n1\n0x10\n", {":3", "'0x10'"}},
      {"NulAmongNumbers", std::string("x\n1\n2\0003\n", 9), {":3", "column 'x'"}},
      {"Nan", "x\n1\n-nan\n", {":3", "column 'x'", "missing ('-nan')"}},
      {"Infinity", "x\n1\ninf\n", {":3", "column 'x'", "finite"}},
      {"BeyondDouble", "x\n1\n1e400\n", {":3", "column 'x'", "finite"}},
      {"BehindQuote", "k\n\"a\"b\n", {":2", "column 'k'", "behind the closing quote"}},
      {"QuoteNotClosed",
       "k,x\n\"a,1\n" + std::string(100000, 'b') + "\n",
       {":2", "column 'k'", "never closed"}},
      {"LineBehindBreaksInQuotes", "k,x\n\"a\n\nb\",1\nc,d\n", {":5", "column 'x'"}},
      {"LabelOfLatin1", "k\na\n\xE9\n", {":3", "column 'k'", "UTF-8"}},
      {"LabelOverlong", "k\na\n\xC0\xAF\n", {":3", "column 'k'", "UTF-8"}},
      {"LabelOfSurrogate", "k\na\n\xED\xA0\x80\n", {":3", "column 'k'", "UTF-8"}},
      {"LabelBeyondUnicode", "k\na\n\xF4\x90\x80\x80\n", {":3", "column 'k'", "UTF-8"}},
      {"LabelCutInCharacter", "k\na\n\xE2\x82\n", {":3", "column 'k'", "UTF-8"}},
      {"ManyEmptyLines", std::string(100000, '\n') + "x\n1\ny\n", {":100003", "column 'x'"}},
  };
  return all;
}

std::string npz_of(const std::vector<TensorBytes>& arrays, bool deflate = true) {
  ZipWriter writer;
  std::vector<std::string> headers;
  headers.reserve(arrays.size());
  for (const TensorBytes& array : arrays) {
    headers.push_back(npy_header(array));
    writer.add(array.name + ".npy",
               {headers.back(), {reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size()}},
               deflate);
  }
  std::string all;
  for (const std::string_view piece : writer.finish()) all += piece;
  return all;
}

std::string npy_of(const TensorBytes& array) {
  return npy_header(array) +
         std::string(reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size());
}

const std::vector<BrokenFile>& broken_arrays() {
  static const std::vector<float> numbers{1, 2, NAN, 4, INFINITY, 6};
  const auto array = [](const char* name, Extents extents) {
    std::int64_t count = 1;
    for (const std::int64_t extent : extents) count *= extent;
    return tensor_bytes(name, std::move(extents), std::span(numbers).first(static_cast<std::size_t>(count)));
  };
  static const std::vector<BrokenFile> all{
      {"NoArrays", npz_of({}), {"no numbers"}},
      {"Scalar", npz_of({array("a", {})}), {"array 'a' is a single number"}},
      {"NoRows", npz_of({array("a", {0, 3})}), {"array 'a' [0, 3] has no rows"}},
      {"OtherRows", npz_of({array("a", {2}), array("b", {1, 2})}), {"array 'b' has 1 rows", "before have 2"}},
      {"SameColumnTwice", npz_of({array("a", {1, 2}), array("a2", {1})}), {"two columns are called 'a2'"}},
      {"NotANumber", npz_of({array("a", {3})}), {"row 2: column 'a': nan"}},
      {"Infinite", npz_of({array("a", {2}), array("b", {2, 3})}), {"row 1: column 'b2': inf"}},
      {"NotANumberInNpy", npy_of(array("", {1, 3})), {"row 0: column 'c3': nan"}},
      {"ManyRowsOfNothing", npy_of({"", ElementType::f32, {std::int64_t{1} << 40U, 0}, {}}), {"no numbers"}},
      {"OneRowPlusManyOfNothing",
       npz_of({{"a", ElementType::f32, {std::int64_t{1} << 40U, 0}, {}}, array("b", {2})}),
       {"array 'b' has 2 rows"}},
  };
  return all;
}

class BrokenTable : public TableFile, public testing::WithParamInterface<BrokenFile> {};

TEST_P(BrokenTable, IsRefusedByItsPlace) {
  const std::string path = write(GetParam().bytes);
  test::expect_refused(GetParam(), path, [&] { read_table(path); });
}

INSTANTIATE_TEST_SUITE_P(Csv, BrokenTable, testing::ValuesIn(broken_csv()),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Arrays, BrokenTable, testing::ValuesIn(broken_arrays()),
                         [](const auto& info) { return info.param.name; });

TEST_F(TableFile, ColumnsThatAreNotThereAreErrors) {
  write("x,k\n1,a\n");
  EXPECT_THAT(test::error_of([&] { read_table(file(), {.columns = {"y"}}); }),
              HasSubstr("no column 'y'; there are: x, k"));
  EXPECT_THAT(test::error_of([&] { read_table(file(), {.numbers = {"k"}}); }),
              HasSubstr(":2: column 'k': 'a'"));
  EXPECT_THAT(test::error_of([&] { read_table(file()).column("z"); }), HasSubstr("no column 'z'"));
  const std::vector<float> one{1};
  write_npy(file(), tensor_bytes("", {1}, one));
  EXPECT_THAT(test::error_of([&] { read_table(file(), {.text = {"c2"}}); }),
              HasSubstr("no column 'c2'; there are: c1"));
}

TEST_F(TableFile, AFieldIsWrittenSoThatItIsReadAgain) {
  for (const std::string text : {"a", "a b", "a,b", "\"", "a\nb", "\xEF\xBB\xBFx"}) {
    write(csv_field(text) + ",x\n1,2\n");
    EXPECT_EQ(read_table(file()).columns()[0].name, text);
  }
}

}  // namespace
}  // namespace gradus
