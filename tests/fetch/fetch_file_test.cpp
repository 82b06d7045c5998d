// One file from servers on loopback that do all that servers have been seen to do. Whatever happens, nothing
// half-written has the file's name, and a part is there only to be gone on with.
#include "models/app/fetch/fetch_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>

#include "tests/fetch/fetch_file_fixture.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::good;
using test::HttpAnswer;
using test::HttpRequest;
using test::HttpServer;
using test::ranged;
using test::sum_of;
using test::whole;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using FetchFile = test::FetchFileTest;

// The first answer is this, all others are good.
HttpServer::Handler first(HttpAnswer bad) {
  return [bad, count = std::make_shared<std::atomic<int>>(0)](const HttpRequest& request) {
    return (*count)++ == 0 ? bad : good(request);
  };
}

TEST_F(FetchFile, IsFetchedOnce) {
  const HttpServer server(good);
  EXPECT_EQ(error({server.url()}), "no error");
  expect_fetched();
  EXPECT_EQ(server.requests().front().path, "/data.bin");
  EXPECT_THAT(printed_, HasSubstr("data.bin: 300000 bytes from http://127.0.0.1"));
  EXPECT_EQ(error({server.url()}), "no error");
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(printed_, HasSubstr("there already"));
}

TEST_F(FetchFile, AMirrorNeedsNoSlash) {
  const HttpServer server(good);
  EXPECT_EQ(error({server.url() + "a/b"}), "no error");
  EXPECT_EQ(server.requests().front().path, "/a/b/data.bin");
}

TEST_F(FetchFile, ADamagedOneIsFetchedAgain) {
  const HttpServer server(good);
  write("cache/data.bin", "half");
  EXPECT_EQ(error({server.url()}), "no error");
  expect_fetched();
}

TEST_F(FetchFile, AnotherOneIsLeft) {
  const HttpServer server(good);
  write("cache/data.bin", "somebody's own");
  EXPECT_THAT(error({server.url()}), AllOf(HasSubstr("cache/data.bin: this holds something else"),
                                           HasSubstr("name another folder, or rename or remove the file")));
  EXPECT_EQ(read("cache/data.bin"), "somebody's own");
  EXPECT_EQ(left(), std::set<std::string>{"data.bin"});
  EXPECT_EQ(server.requests().size(), 0U);
}

TEST_F(FetchFile, FromAFolder) {
  write("mirror/data.bin", whole);
  const std::string mirror = "file://" + (folder_ / "mirror").string();
  write("cache/data.bin.part", whole.substr(0, 1000));
  EXPECT_EQ(error({mirror}), "no error");
  expect_fetched();
  EXPECT_THAT(error_of([&] {
                auto other = wanted();
                other.name = "none.bin";
                fetch_file(other, from({mirror}));
              }),
              AllOf(HasSubstr("none.bin could not be fetched"), HasSubstr("mirror/none.bin")));
}

TEST_F(FetchFile, GoesOnAfterACut) {
  const HttpServer server(first({.body = whole.substr(0, 100000), .promised = 300000}));
  EXPECT_EQ(error({server.url()}), "no error");
  expect_fetched();
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(server.requests()[1].from, 100000);
}

// Twenty cuts, each a little further on.
TEST_F(FetchFile, GoesOnAfterManyCuts) {
  const HttpServer server([](const HttpRequest& request) {
    HttpAnswer answer = good(request);
    answer.promised = static_cast<std::int64_t>(answer.body.size());
    answer.body.resize(std::min<std::size_t>(answer.body.size(), 15000));
    return answer;
  });
  EXPECT_EQ(error({server.url()}), "no error");
  expect_fetched();
  EXPECT_EQ(server.requests().size(), 20U);
}

TEST_F(FetchFile, GoesOnAfterAStall) {
  const HttpServer server(first({.body = whole.substr(0, 100000), .promised = 300000, .stalls = true}));
  EXPECT_EQ(error({server.url()}), "no error");
  expect_fetched();
  EXPECT_EQ(server.requests().back().from, 100000);
}

TEST_F(FetchFile, AStallForEverIsAnErrorThatKeepsThePart) {
  {
    const HttpServer server([](const HttpRequest& request) {
      return request.from == 0
                 ? HttpAnswer{.body = whole.substr(0, 5000), .promised = 300000, .stalls = true}
                 : HttpAnswer{.status = "206 Partial Content", .promised = 295000, .stalls = true};
    });
    EXPECT_THAT(error({server.url()}),
                AllOf(HasSubstr("data.bin could not be fetched into"), HasSubstr(server.url()),
                      HasSubstr("what has come so far is kept")));
    EXPECT_EQ(left(), std::set<std::string>{"data.bin.part"});
    EXPECT_TRUE(read("cache/data.bin.part") == whole.substr(0, 5000));
  }
  const HttpServer server(good);
  EXPECT_EQ(error({server.url()}), "no error");
  expect_fetched();
  EXPECT_EQ(server.requests().front().from, 5000);
}

TEST_F(FetchFile, AServerThatSaysNothingIsLeft) {
  const HttpServer silent([](const HttpRequest&) { return HttpAnswer{.promised = 300000, .stalls = true}; });
  const HttpServer server(good);
  EXPECT_EQ(error({silent.url(), server.url()}), "no error");
  expect_fetched();
}

TEST_F(FetchFile, ServersThatIgnoreRangesStartAgain) {
  const HttpServer server([](const HttpRequest&) { return HttpAnswer{.body = whole}; });
  write("cache/data.bin.part", whole.substr(0, 1000));
  EXPECT_EQ(error({server.url()}), "no error");
  expect_fetched();
}

// One that ignores ranges and always cuts is given up in the end.
TEST_F(FetchFile, ServersThatNeverGetFurtherAreLeft) {
  const HttpServer server(
      [](const HttpRequest&) { return HttpAnswer{.body = whole.substr(0, 1000), .promised = 300000}; });
  EXPECT_THAT(error({server.url()}), HasSubstr("could not be fetched"));
  EXPECT_LE(server.requests().size(), 10U);
  EXPECT_FALSE(fs::exists(folder_ / "cache/data.bin"));
}

TEST_F(FetchFile, APartOfAnotherFileIsFetchedAnew) {
  const HttpServer server(good);
  for (const std::string& part :
       {std::string(1000, 'x'), std::string(300000, 'x'), std::string(350000, 'x'), whole}) {
    fs::remove(folder_ / "cache/data.bin");
    write("cache/data.bin.part", part);
    EXPECT_EQ(error({server.url()}), "no error") << part.size();
    expect_fetched();
  }
}

TEST_F(FetchFile, AWrongOneIsRemovedAndTheNextMirrorTried) {
  std::string damaged = whole;
  damaged[1000] ^= 1;
  const HttpServer wrong([&](const HttpRequest& request) { return ranged(request, damaged); });
  EXPECT_THAT(error({wrong.url()}),
              AllOf(HasSubstr("data.bin could not be fetched into " + (folder_ / "cache").string()),
                    HasSubstr(wrong.url() + "data.bin: expected contents with the SHA-256 " + sum_of(whole) +
                              ", found " + sum_of(damaged)),
                    HasSubstr("name another mirror"), Not(HasSubstr("is kept"))));
  expect_nothing();
  const HttpServer server(good);
  EXPECT_EQ(error({wrong.url(), server.url()}), "no error");
  expect_fetched();
}

TEST_F(FetchFile, LyingServers) {
  struct Case {
    const char* name;
    HttpAnswer answer;
    const char* says;
  };
  const std::string page = "<!DOCTYPE html><html><body>Please log in</body></html>";
  const std::vector<Case> cases{
      {"not found", {.status = "404 Not Found", .body = page}, "HTTP status 404"},
      {"forbidden", {.status = "403 Forbidden", .body = page}, "HTTP status 403"},
      {"overloaded", {.status = "503 Service Unavailable", .body = page}, "HTTP status 503"},
      {"a page", {.body = page}, "expected contents with the SHA-256"},
      {"nothing", {}, "expected contents with the SHA-256"},
      {"less than it says", {.body = whole.substr(0, 9), .promised = 300000}, "127.0.0.1"},
      {"more than it says", {.body = whole, .promised = 200000}, "expected contents with the SHA-256"},
      {"no length, and cut",
       {.body = whole.substr(0, 9000), .promised = -2},
       "expected contents with the SHA-256"},
      {"far too much", {.body = whole + whole}, "more than 400000 bytes"},
      {"in circles", {.status = "302 Found", .headers = "Location: /data.bin\r\n"}, "redirects"},
      {"to a file", {.status = "302 Found", .headers = "Location: file:///etc/passwd\r\n"}, "127.0.0.1"},
      {"no HTTP", {.status = "and something else entirely"}, "127.0.0.1"},
  };
  const HttpServer server(good);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const HttpServer liar([&](const HttpRequest&) { return c.answer; });
    const std::string message = error({liar.url()});
    EXPECT_THAT(message, AllOf(HasSubstr("data.bin could not be fetched into"), HasSubstr(c.says)));
    EXPECT_FALSE(fs::exists(folder_ / "cache/data.bin"));
    EXPECT_EQ(error({liar.url(), server.url()}), "no error");
    expect_fetched();
    fs::remove_all(folder_ / "cache");
  }
}

// What is right is right, whatever was said of its length.
TEST_F(FetchFile, AWrongLengthOfARightFileDoesNotMatter) {
  const HttpServer server([](const HttpRequest&) { return HttpAnswer{.body = whole, .promised = 350000}; });
  EXPECT_EQ(error({server.url()}), "no error");
  expect_fetched();
  EXPECT_EQ(server.requests().size(), 1U);
}

// A 206 whose bytes are others than those asked for.
TEST_F(FetchFile, AWrongRangeIsNotTaken) {
  const HttpServer server([](const HttpRequest& request) {
    if (request.from == 0) return good(request);
    return HttpAnswer{.status = "206 Partial Content",
                      .headers = "Content-Range: bytes 5-299999/300000\r\n",
                      .body = whole.substr(5)};
  });
  write("cache/data.bin.part", whole.substr(0, 1000));
  EXPECT_EQ(error({server.url()}), "no error");
  expect_fetched();
}

TEST_F(FetchFile, RedirectionsAreFollowed) {
  const HttpServer server(good);
  const HttpServer redirecting([&](const HttpRequest& request) {
    if (request.path == "/data.bin")
      return HttpAnswer{.status = "301 Moved", .headers = "Location: /there/data.bin\r\n"};
    return HttpAnswer{.status = "307 Temporary Redirect",
                      .headers = "Location: " + server.url() + "data.bin\r\n"};
  });
  write("cache/data.bin.part", whole.substr(0, 1000));
  EXPECT_EQ(error({redirecting.url()}), "no error");
  expect_fetched();
  EXPECT_EQ(server.requests().front().from, 1000);
}

TEST_F(FetchFile, NobodyThereIsAnError) {
  std::string gone;
  {
    const HttpServer server(good);
    gone = server.url();
  }
  EXPECT_THAT(error({gone, "http://no.such.host.invalid/"}),
              AllOf(HasSubstr(gone + "data.bin: "), HasSubstr("no.such.host.invalid/data.bin: ")));
  expect_nothing();
}

// What was fetched is complete and right, though its name is taken in the meantime.
TEST_F(FetchFile, APartThatCannotBeRenamedIsKept) {
  const HttpServer server([&](const HttpRequest& request) {
    fs::create_directories(folder_ / "cache/data.bin/taken");
    return good(request);
  });
  EXPECT_THAT(error({server.url()}), HasSubstr("cache/data.bin: cannot be written"));
  EXPECT_TRUE(read("cache/data.bin.part") == whole);
  fs::remove_all(folder_ / "cache/data.bin");
  const HttpServer again(good);
  EXPECT_EQ(error({again.url()}), "no error");
  expect_fetched();
  EXPECT_EQ(again.requests().front().from, 300000);
}

// Limits the size of files for this process, as a full disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(FetchFile, AFullDiskIsSaidAndLeftAsItWas) {
  const HttpServer server(good);
  for (const rlim_t limit : {0U, 1U, 100000U, 299999U}) {
    {
      const FileSizeLimit limited(limit);
      EXPECT_THAT(error({server.url()}), AllOf(HasSubstr("cache/data.bin: cannot be written"),
                                               HasSubstr("File too large; make room there")));
    }
    expect_nothing();
  }
  EXPECT_EQ(error({server.url()}), "no error");
  expect_fetched();
}

TEST_F(FetchFile, FoldersThatCannotBeWritten) {
  const HttpServer server(good);
  write("cache", "a file");
  EXPECT_THAT(error({server.url()}), AllOf(HasSubstr("cache"), HasSubstr("cannot be made")));
  EXPECT_EQ(server.requests().size(), 0U);
}

TEST_F(FetchFile, ManyAtOnceFetchItOnce) {
  const HttpServer server([](const HttpRequest& request) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return good(request);
  });
  std::vector<std::string> errors(4);
  std::vector<std::thread> threads;
  const auto options = FetchOptions{.mirrors = {server.url()}, .folder = folder_ / "cache"};
  for (std::string& each : errors)
    threads.emplace_back([&] { each = error_of([&] { fetch_file(wanted(), options); }); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(errors, testing::Each("no error"));
  expect_fetched();
  EXPECT_EQ(server.requests().size(), 1U);
}

// The first one gives up; the second one, which has waited, goes on.
TEST_F(FetchFile, WhoWaitsGoesOnWhereAnotherEnded) {
  const HttpServer bad([](const HttpRequest& request) {
    return request.from == 0 ? HttpAnswer{.body = whole.substr(0, 7000), .promised = 300000, .stalls = true}
                             : HttpAnswer{.status = "500 Internal Server Error"};
  });
  const HttpServer server(good);
  std::string first_error;
  std::thread first_one([&] {
    first_error = error_of([&] {
      fetch_file(wanted(), {.mirrors = {bad.url()}, .folder = folder_ / "cache", .stall_seconds = 1});
    });
  });
  while (bad.requests().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(error({server.url()}), "no error");
  first_one.join();
  EXPECT_THAT(first_error, HasSubstr("500"));
  expect_fetched();
  EXPECT_EQ(server.requests().front().from, 7000);
}

}  // namespace
}  // namespace gradus
