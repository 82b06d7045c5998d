// Tables from CSV, NPY and NPZ: what they hold, and that what is broken is refused by file, line or row, and
// column, in memory that the file's size bounds.
#include "gradus/data/table.hpp"

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
      {"Nan", "x\n1\n-nan\n", {":3", "column 'x'", "finite"}},
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
