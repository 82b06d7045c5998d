#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "models/app/fetch/fetch_file.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/http_server.hpp"

/// One file that is fetched from servers on loopback.
namespace gradus::test {

/// 300 kB that do not repeat.
inline std::string content() {
  std::string bytes;
  std::uint32_t state = 1;
  for (int i = 0; i < 300000; ++i) {
    state = state * 1664525U + 1013904223U;
    bytes += static_cast<char>(state >> 24U);
  }
  return bytes;
}
inline const std::string whole = content();

/// Sums are the fetcher's business only as texts.
inline std::string sum_of(const std::string& bytes) {
  return "sum-" + std::to_string(std::hash<std::string>()(bytes));
}

/// A folder to fetch into, and what is expected of it.
class FetchFileTest : public FolderTest {
 protected:
  FetchFileTest() { setenv("no_proxy", "*", 1); }

  static WantedFile wanted() {
    return {.name = "data.bin",
            .sha256 = sum_of(whole),
            .most_bytes = 400000,
            .sum = [](const std::filesystem::path& path) {
              const std::string bytes = contents(path);
              if (bytes == "half") throw Error("it is damaged");
              return sum_of(bytes);
            }};
  }
  FetchOptions from(std::vector<std::string> mirrors) {
    return {.mirrors = std::move(mirrors),
            .folder = folder_ / "cache",
            .stall_seconds = 1,
            .connect_seconds = 2,
            .print = [this](std::string_view text) { printed_ += text; }};
  }
  std::string error(const std::vector<std::string>& mirrors) {
    return error_of([&] { fetch_file(wanted(), from(mirrors)); });
  }
  std::set<std::string> left() const {
    std::set<std::string> names;
    if (std::filesystem::exists(folder_ / "cache"))
      for (const auto& entry : std::filesystem::directory_iterator(folder_ / "cache"))
        names.insert(entry.path().filename());
    return names;
  }
  void expect_fetched() const {
    EXPECT_EQ(left(), std::set<std::string>{"data.bin"});
    EXPECT_TRUE(read("cache/data.bin") == whole);
  }
  void expect_nothing() const { EXPECT_EQ(left(), std::set<std::string>{}); }

  std::string printed_;
};

/// What a server that has the file answers.
inline HttpAnswer good(const HttpRequest& request) { return ranged(request, whole); }

}  // namespace gradus::test
