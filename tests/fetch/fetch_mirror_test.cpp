// Mirrors to which no connection can be made, and what is shown of their addresses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "tests/fetch/fetch_file_fixture.hpp"

namespace gradus {
namespace {

using test::error_of;
using test::good;
using test::HttpAnswer;
using test::HttpRequest;
using test::HttpServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using FetchMirror = test::FetchFileTest;

TEST_F(FetchMirror, MirrorsWithoutAConnectionAreTold) {
  std::string gone;
  {
    const HttpServer server(good);
    gone = server.url();
  }
  const HttpServer silent([](const HttpRequest&) { return HttpAnswer{.promised = 300000, .stalls = true}; });
  const HttpServer none([](const HttpRequest&) { return HttpAnswer{.status = "404 Not Found"}; });
  const HttpServer server(good);
  std::vector<std::string> told;
  FetchOptions options = from({gone, "http://no.such.host.invalid/", silent.url(), none.url(), server.url()});
  options.unreachable = [&](const std::string& mirror) { told.push_back(mirror); };
  EXPECT_EQ(error_of([&] { fetch_file(wanted(), options); }), "no error");
  EXPECT_THAT(told, testing::ElementsAre(gone, "http://no.such.host.invalid/"));
}

// Its queue is full, so that the system answers no more: a firewall that drops everything does the same.
TEST_F(FetchMirror, AMirrorThatNeverAnswersIsTriedOnce) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener, general, size), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  getsockname(listener, general, &size);
  std::vector<int> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    connect(waiting.back(), general, size);
  }
  const std::string dead = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  const HttpServer server(good);
  std::vector<std::string> told;
  FetchOptions options = from({dead, server.url()});
  options.unreachable = [&](const std::string& mirror) { told.push_back(mirror); };
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(error_of([&] { fetch_file(wanted(), options); }), "no error");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(3500)) << "2 s, once";
  EXPECT_THAT(told, testing::ElementsAre(dead));
  for (const int each : waiting) close(each);
  close(listener);
}

TEST_F(FetchMirror, PasswordsAreNotShown) {
  const HttpServer none([](const HttpRequest&) { return HttpAnswer{.status = "404 Not Found"}; });
  const HttpServer server(good);
  const auto with_user = [](std::string url) { return url.insert(7, "user:se%40cret@"); };
  EXPECT_THAT(error({with_user(none.url())}),
              AllOf(HasSubstr(none.url() + "data.bin: "), Not(HasSubstr("cret")), Not(HasSubstr("user"))));
  EXPECT_EQ(error({with_user(server.url())}), "no error");
  EXPECT_THAT(printed_, AllOf(HasSubstr(server.url() + "data.bin"), Not(HasSubstr("cret"))));
  EXPECT_EQ(without_password("https://user:secret@host/a@b"), "https://host/a@b");
  EXPECT_EQ(without_password("user:secret@host/a"), "host/a");
  EXPECT_EQ(without_password("http://host/a?b=c@d"), "http://host/a?b=c@d");
  EXPECT_EQ(without_password("file:///a@b"), "file:///a@b");
}

}  // namespace
}  // namespace gradus
