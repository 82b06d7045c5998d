// Files of tensors: what is written is read back, and whatever is broken is refused by its place, in memory
// that the file's size bounds.
#include "gradus/data/safetensors.hpp"

#include <cstring>
#include <filesystem>

#include "gradus/data/tensor_file.hpp"
#include "tests/support/broken_files.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class Safetensors : public test::FolderTest {
 protected:
  std::string error() const {
    return test::error_of([&] { TensorFile{file()}; });
  }
};

// A file with this header and so many bytes of data.
std::string with_header(const std::string& header, std::size_t data,
                        std::optional<std::uint64_t> length = {}) {
  const std::uint64_t said = length.value_or(header.size());
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &said, 8);
  return bytes + header + std::string(data, '\1');
}

TEST_F(Safetensors, ComeBackBitForBit) {
  const std::vector<float> singles{1.5F, -0.0F, 3e-45F, INFINITY};
  const std::vector<double> doubles{1.0 / 3};
  const std::vector<TensorBytes> tensors{tensor_bytes("a/W", {2, 2}, singles), tensor_bytes("b", {}, doubles),
                                         tensor_bytes("none", {0, 3}, std::span<const float>{})};
  write_tensors(file(), tensors, {{"recipe", "{\"é\": 1}"}});
  const TensorFile read(file());
  EXPECT_EQ(read.metadata().at("recipe"), "{\"é\": 1}");
  ASSERT_EQ(read.tensors().size(), 3U);
  EXPECT_EQ(read.at("a/W").extents, (Extents{2, 2}));
  EXPECT_EQ(std::memcmp(read.at("a/W").bytes.data(), singles.data(), 16), 0);
  EXPECT_EQ(read.values("b"), doubles);
  EXPECT_EQ(read.values("a/W")[2], static_cast<double>(3e-45F));
  EXPECT_TRUE(read.values("none").empty());
  EXPECT_EQ(read.find("c"), nullptr);
  EXPECT_THAT(test::error_of([&] { read.at("c"); }), HasSubstr("no tensor 'c'"));
  // The header is padded, so that tensors are aligned.
  EXPECT_EQ(fs::file_size(file()) % 8, 0U);
}

TEST_F(Safetensors, WriterRefusesWhatCannotBeRead) {
  const std::vector<float> one{1};
  const auto error = [&](const std::vector<TensorBytes>& tensors) {
    return test::error_of([&] { write_tensors(file(), tensors); });
  };
  EXPECT_THAT(error({tensor_bytes("a", {1}, one), tensor_bytes("a", {1}, one)}), HasSubstr("'a' is taken"));
  EXPECT_THAT(error({tensor_bytes("__metadata__", {1}, one)}), HasSubstr("is taken"));
  EXPECT_THAT(error({tensor_bytes("a", {2}, one)}), HasSubstr("does not fit its 4 bytes"));
  EXPECT_THAT(error({tensor_bytes("\xFF", {1}, one)}), HasSubstr("no UTF-8"));
  EXPECT_FALSE(fs::exists(file()));
}

std::string entry(const std::string& type, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}
std::string one(const std::string& tensor) { return R"({"t":)" + tensor + "}"; }

// A tensor of a type that the format has, or may come to have, and gradus has not, is an error for who asks
// for it. The bytes must still fit the file.
TEST_F(Safetensors, OtherTypesMatterOnlyWhenTheyAreAskedFor) {
  for (const char* type : {"F8_E4M3", "F8_E5M2", "F8_E8M0", "C64", "F4", "F6_E2M3", "I4", "U2", "C128"}) {
    const std::string theirs = entry(type, "[4]", "[0,4]");
    write(with_header(R"({"theirs":)" + theirs + R"(,"ours":)" + entry("U8", "[2]", "[4,6]") + "}", 6));
    const TensorFile read(file());
    ASSERT_EQ(read.tensors().size(), 1U) << type;
    EXPECT_EQ(read.at("ours").count(), 2U);
    EXPECT_EQ(read.find("theirs"), nullptr);
    EXPECT_THAT(test::error_of([&] { read.at("theirs"); }),
                AllOf(HasSubstr("tensor 'theirs'"), HasSubstr(type), HasSubstr("not supported"),
                      testing::Not(HasSubstr("damaged"))));
    write(with_header(one(entry(type, "[4]", "[0,8]")), 7));
    EXPECT_THAT(error(), HasSubstr("are not within the 7"));
  }
}

const std::vector<test::BrokenFile>& broken() {
  const std::string good = entry("F32", "[2]", "[0,8]");
  static const std::vector<test::BrokenFile> all{
      {"Empty", "", {"byte 0", "8 bytes"}},
      {"HalfALength", "\1\0\0", {"byte 0"}},
      {"LengthBeyondTheFile", with_header("{}", 0, 1000), {"byte 0", "1000"}},
      {"LengthOf2To63", with_header("{}", 0, std::uint64_t{1} << 63U), {"byte 0"}},
      {"LengthOfAllOnes", with_header("{}", 0, ~std::uint64_t{0}), {"byte 0"}},
      {"NoJson", with_header("tensors", 0), {"header"}},
      {"JsonCut", with_header(R"({"t":)", 0), {"header"}},
      {"JsonList", with_header("[]", 0), {"JSON object"}},
      {"BadUtf8", with_header("{\"\xFF\xFE\":{}}", 0), {"header"}},
      {"DuplicateTensor",
       with_header(R"({"t":)" + good + R"(,"t":)" + good + "}", 8),
       {"'t' is given twice"}},
      {"DuplicateKey",
       with_header(one(R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})"), 8),
       {"'dtype' is given twice"}},
      {"DuplicateMetadata", with_header(R"({"__metadata__":{"a":"1","a":"2"}})", 0), {"'a' is given twice"}},
      {"MetadataNumber", with_header(R"({"__metadata__":{"a":1}})", 0), {"__metadata__", "'a'"}},
      {"MetadataList", with_header(R"({"__metadata__":[]})", 0), {"__metadata__"}},
      {"TensorNumber", with_header(one("1"), 0), {"tensor 't'", "dtype"}},
      {"NoDtype", with_header(one(R"({"shape":[2],"data_offsets":[0,8]})"), 8), {"tensor 't'"}},
      {"MoreKeys",
       with_header(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1})"), 8),
       {"tensor 't'"}},
      {"UnknownDtype", with_header(one(entry("F31", "[2]", "[0,8]")), 8), {"tensor 't'", "'F31'"}},
      {"NegativeExtent",
       with_header(one(entry("F32", "[-2]", "[0,8]")), 8),
       {"tensor 't'", "from 0 to", "not -2"}},
      {"FractionalExtent",
       with_header(one(entry("F32", "[2.5]", "[0,8]")), 8),
       {"whole number from 0", "not 2.5"}},
      {"ExtentOf2To64", with_header(one(entry("F32", "[18446744073709551616]", "[0,8]")), 8), {"tensor 't'"}},
      {"ExtentOf2To63",
       with_header(one(entry("F32", "[9223372036854775808]", "[0,8]")), 8),
       {"to 9223372036854775807"}},
      {"Extents2To40",
       with_header(one(entry("F32", "[1048576,1048576]", "[0,8]")), 8),
       {"does not fit its 8"}},
      {"ProductOverflows",
       with_header(one(entry("F32", "[4294967296,4294967296]", "[0,0]")), 0),
       {"does not fit its 0"}},
      {"WrongDtypeForBytes", with_header(one(entry("F64", "[2]", "[0,8]")), 8), {"F64 [2] does not fit"}},
      {"OffsetsBeyondTheFile", with_header(one(entry("F32", "[2]", "[0,8]")), 7), {"not within the 7"}},
      {"OffsetsTurned", with_header(one(entry("F32", "[2]", "[8,0]")), 8), {"not within"}},
      {"OneOffset", with_header(one(entry("F32", "[2]", "[0]")), 8), {"two numbers"}},
      {"NegativeOffset", with_header(one(entry("F32", "[2]", "[-8,0]")), 8), {"not -8"}},
      {"Overlap",
       with_header(R"({"a":)" + good + R"(,"b":)" + entry("F32", "[2]", "[4,12]") + "}", 12),
       {"tensor 'b'", "begin at 4", "end at 8"}},
      {"SameBytes",
       with_header(R"({"a":)" + good + R"(,"b":)" + good + "}", 8),
       {"tensor 'b'", "begin at 0"}},
      {"Gap",
       with_header(R"({"a":)" + good + R"(,"b":)" + entry("F32", "[1]", "[12,16]") + "}", 16),
       {"tensor 'b'", "begin at 12"}},
      {"TrailingBytes", with_header(one(good), 9), {"1 bytes belong to no tensor"}},
      {"DeepNesting", with_header(std::string(100000, '['), 0), {"header"}},
  };
  return all;
}

class BrokenTensors : public Safetensors, public testing::WithParamInterface<test::BrokenFile> {};

TEST_P(BrokenTensors, AreRefusedByTheirPlace) {
  write(GetParam().bytes);
  EXPECT_THAT(error(), HasSubstr("tensor file '" + file() + "'"));
  EXPECT_THAT(error(), HasSubstr("damaged or no safetensors file"));
  constexpr std::size_t json_per_byte = 256;
  test::expect_refused(
      GetParam(), file(), [&] { TensorFile{file()}; }, json_per_byte);
}

INSTANTIATE_TEST_SUITE_P(All, BrokenTensors, testing::ValuesIn(broken()),
                         [](const auto& info) { return info.param.name; });

TEST_F(Safetensors, MissingFilesAndFoldersAreErrors) {
  EXPECT_THAT(error(), HasSubstr("there is no such file"));
  EXPECT_THAT(test::error_of([&] { TensorFile{folder_}; }), HasSubstr("regular file"));
}

}  // namespace
}  // namespace gradus
