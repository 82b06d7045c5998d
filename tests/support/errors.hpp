#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

#include "gradus/base/error.hpp"
#include "gradus/base/location.hpp"

/// Messages of errors.
namespace gradus::test {

/// The message of the Error that `f` throws, with HERE in place of the line of this call; "no error" without.
template <class F> std::string error_of(F&& f, const Location at = Location::current()) {
  std::string text = "no error";
  try {
    f();
  } catch (const Error& error) {
    text = error.what();
  }
  const std::string here = to_string(Location(at));
  for (std::size_t found = 0; (found = text.find(here, found)) != std::string::npos; ++found) {
    const std::size_t end = found + here.size();
    const bool longer = end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0;
    if (!longer) text.replace(found, here.size(), "HERE");
  }
  return text;
}

/// Expects every part somewhere in the message.
inline void expect_parts(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_THAT(message, testing::HasSubstr(part));
}

}  // namespace gradus::test
