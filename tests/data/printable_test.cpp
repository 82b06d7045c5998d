// Names and values of files, as they are shown; and names that were mistyped.
#include "models/data/printable.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "models/data/near_name.hpp"

namespace gradus {
namespace {

std::string utf8(char32_t code) {
  std::string text;
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) {
    text += static_cast<char>(0xC0U | code >> 6U);
  } else {
    text += static_cast<char>(0xE0U | code >> 12U);
    text += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
  }
  return text + static_cast<char>(0x80U | (code & 0x3FU));
}

TEST(Printable, NoByteOfAControlCharacterIsLeft) {
  for (char32_t code = 0; code < 0xA0; ++code) {
    const std::string text = printable("a" + utf8(code) + "b");
    if (code >= 0x20 && code < 0x7F) {
      EXPECT_EQ(text, "a" + utf8(code) + "b");
    } else {
      EXPECT_EQ(text.find(utf8(code)), std::string::npos) << static_cast<unsigned>(code);
      EXPECT_EQ(text.substr(0, 3), "a\\x");
    }
  }
  EXPECT_EQ(printable("\x1b[31m"), "\\x1b[31m");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");
  for (const char32_t code : {0x202E, 0x2066, 0x200F, 0x2028, 0xFEFF})
    EXPECT_EQ(printable(utf8(code)).substr(0, 2), "\\x");
}

TEST(Printable, TextOfAllLanguagesStays) {
  for (const char* text :
       {"Größe in µm", "価格", "цена", "قیمت", "👨‍👩‍👧", "1 000 €", "c1 (a,b)"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, BytesThatAreNoUtf8AreEscapedOneByOne) {
  EXPECT_EQ(printable("a\xff\xfe"
                      "b"),
            "a\\xff\\xfeb");
  EXPECT_EQ(printable("\xe4"
                      "ber"),
            "\\xe4ber");
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  for (int byte = 0x80; byte < 0x100; ++byte)
    EXPECT_EQ(printable(std::string(1, static_cast<char>(byte))).size(), 4U);
}

TEST(Printable, LinesKeepTheirEnds) {
  EXPECT_EQ(printable_lines("a\tb\nc\r\x1b"), "a\tb\nc\\x0d\\x1b");
  EXPECT_EQ(printable("a\nb"), "a\\x0ab");
}

TEST(Printable, NamesAreCutBetweenCharacters) {
  EXPECT_EQ(shortened("abcdef", 3), "abc…");
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("äöü", 2), "äö…");
  EXPECT_EQ(shortened("a\nb\tc", 9), "a b c");
  EXPECT_EQ(shortened("\x1b[1m", 9), "\\x1b[1m");
  EXPECT_EQ(shortened("", 0), "");
}

TEST(NearNames, AreFoundByTheLeastChange) {
  const std::vector<std::string> names{"price", "size", "Kind", "weight"};
  EXPECT_EQ(near_name("prise", names), "price");
  EXPECT_EQ(near_name("kind", names), "Kind");
  EXPECT_EQ(near_name("wieght", names), "weight");
  EXPECT_EQ(near_name("colour", names), "");
  EXPECT_EQ(near_name(std::string(100000, 'x'), names), "");
  EXPECT_EQ(did_you_mean("sizee", names), "; did you mean 'size'?");
  EXPECT_EQ(did_you_mean("", names), "");
  EXPECT_EQ(no_such_name("column", "prise", {"price", "size"}),
            "there is no column 'prise'; there are: price, size; did you mean 'price'?");
}

}  // namespace
}  // namespace gradus
