// `gradus fetch mnist` from a server on loopback: the real files, where they are at hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "gradus/data/mnist.hpp"
#include "models/app/fetch/fetch_mnist.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using test::HttpAnswer;
using test::HttpRequest;
using test::HttpServer;
using test::Ran;
using testing::AllOf;
using testing::HasSubstr;

class FetchCommand : public test::FolderTest {
 protected:
  // In a home of its own.
  std::string setting(const std::string& mirror) const {
    return "cd '" + folder_.string() + "' && env -u GRADUS_MNIST no_proxy='*' HOME='" + file("home") +
           "' GRADUS_MIRROR='" + mirror + "'";
  }
  Ran fetch(const std::string& mirror, const std::string& before = "") const {
    return test::run_gradus("fetch mnist", before + setting(mirror));
  }
  std::set<std::string> left() const {
    std::set<std::string> names;
    const fs::path cache = folder_ / "home/.cache/gradus/mnist";
    if (fs::exists(cache))
      for (const auto& entry : fs::directory_iterator(cache)) names.insert(entry.path().filename());
    return names;
  }
};

const std::set<std::string> all_four{"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                     "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};

TEST_F(FetchCommand, RefusesMirrorsThatAreNoAddresses) {
  const Ran path = fetch("/media/mnist");
  EXPECT_EQ(path.status, 1);
  EXPECT_THAT(path.output,
              HasSubstr("GRADUS_MIRROR is '/media/mnist': '/media/mnist' is no address; each must begin "
                        "with http://, https:// or file://, as file:///media/mnist"));
  EXPECT_THAT(fetch("ftp://host/mnist").output, HasSubstr("'ftp://host/mnist' is no address"));
  EXPECT_THAT(fetch("http://127.0.0.1 mirror").output, HasSubstr("'mirror' is no address"));
  EXPECT_THAT(fetch("http://user:secret@127.0.0.1 me:secret@host").output,
              AllOf(HasSubstr("GRADUS_MIRROR is 'http://127.0.0.1 host': 'host' is no address"),
                    testing::Not(HasSubstr("secret"))));
  EXPECT_THAT(fetch(" ").output, HasSubstr("GRADUS_MIRROR is blank"));
  EXPECT_FALSE(fs::exists(folder_ / "home"));
}

TEST_F(FetchCommand, RefusesWhatItDoesNotKnow) {
  EXPECT_NE(test::run_gradus("fetch cifar").status, 0);
  EXPECT_NE(test::run_gradus("fetch").status, 0);
  const Ran homeless = test::run_gradus("fetch mnist", "cd /tmp && env -u HOME -u GRADUS_MNIST");
  EXPECT_EQ(homeless.status, 1);
  EXPECT_THAT(homeless.output, AllOf(HasSubstr("HOME is not set"), HasSubstr("(--data)")));
}

TEST_F(FetchCommand, SaysWhatTheServersSaid) {
  const HttpServer none([](const HttpRequest&) { return HttpAnswer{.status = "404 Not Found"}; });
  const HttpServer page(
      [](const HttpRequest&) { return HttpAnswer{.body = "<!DOCTYPE html><p>Log in</p>"}; });
  const Ran ran = fetch(none.url() + " " + page.url());
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output,
              AllOf(HasSubstr("gradus: train-images-idx3-ubyte.gz could not be fetched into"),
                    HasSubstr("home/.cache/gradus/mnist"),
                    HasSubstr(none.url() + "train-images-idx3-ubyte.gz: the server answered with the "
                                           "HTTP status 404"),
                    HasSubstr(page.url() + "train-images-idx3-ubyte.gz: expected contents with the SHA-256 "
                                           "ba891046"),
                    HasSubstr("this looks like a web page"), HasSubstr("name another mirror")));
  EXPECT_EQ(left(), std::set<std::string>{});
}

TEST_F(FetchCommand, IsOfferedWhereTheFilesAreMissing) {
  const std::string nowhere = "cd /tmp && env -u GRADUS_MNIST HOME=/nonexistent";
  for (const char* command : {"train mnist", "tutorials"})
    EXPECT_THAT(test::run_gradus(command, nowhere).output, HasSubstr("'gradus fetch mnist' fetches them"))
        << command;
}

// Fetched to the usual place, they would not be found while another one is named.
TEST_F(FetchCommand, IsOfferedForThePlaceThatIsNamed) {
  const std::string in = "cd '" + folder_.string() + "' && env -u GRADUS_MNIST HOME=/nonexistent ";
  fs::create_directory(folder_ / "empty");
  for (const std::string& place :
       {std::string("empty"), std::string("none"), file("none"), std::string("a blank")}) {
    const std::string quoted = place == "a blank" ? "'" + place + "'" : place;
    const std::string remedy = "'gradus fetch mnist --data " + quoted + "' fetches them";
    for (const char* command : {"train mnist", "tutorials"}) {
      EXPECT_THAT(test::run_gradus(std::string(command) + " --data " + quoted, in).output, HasSubstr(remedy))
          << command;
      EXPECT_THAT(test::run_gradus(command, in + "GRADUS_MNIST=" + quoted).output, HasSubstr(remedy))
          << command;
    }
  }
  write("taken", "mine");
  EXPECT_THAT(test::run_gradus("train mnist --data taken", in).output,
              testing::Not(HasSubstr("fetch mnist")));
}

TEST_F(FetchCommand, ElementsOfAnotherTypeAreSomethingElse) {
  const std::string shorts(
      "\0\0\x0b\x01\0\0\0\x01"
      "ab",
      10);
  EXPECT_EQ(sha256_of_idx(write("labels", shorts)), "of elements of type I16");
}

TEST_F(FetchCommand, TheSumIsThatOfTheContents) {
  const std::string bytes(
      "\0\0\x08\x01\0\0\0\x03"
      "abc",
      11);
  // sha256sum of these bytes.
  EXPECT_EQ(sha256_of_idx(write("labels", bytes)),
            "379a7afbfd9f0de0a36184463dd209c260f4582821ea2e5e4c40c7eb713dbda2");
  EXPECT_THAT(test::error_of([&] { sha256_of_idx(write("page", "<html>")); }), HasSubstr("web page"));
}

// The real files, as a mirror has them.
class FetchMnist : public FetchCommand {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("GRADUS_MNIST");
    for (const std::string& name : all_four) {
      if (folder != nullptr) files_["/" + name] = test::contents(fs::path(folder) / name);
      if (files_["/" + name].empty()) GTEST_SKIP() << "no MNIST files with .gz in GRADUS_MNIST";
    }
  }
  HttpAnswer good(const HttpRequest& request) const { return test::ranged(request, files_.at(request.path)); }
  void expect_fetched() const {
    EXPECT_EQ(left(), all_four);
    for (const auto& [path, bytes] : files_)
      EXPECT_TRUE(read("home/.cache/gradus/mnist" + path) == bytes) << path;
  }

  std::map<std::string, std::string> files_;
};

TEST_F(FetchMnist, FetchesWhatTrainFinds) {
  const HttpServer server([&](const HttpRequest& request) { return good(request); });
  const Ran ran = fetch(server.url());
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("MNIST is in " + file("home/.cache/gradus/mnist") + "\n"));
  expect_fetched();
  const Mnist data = load_mnist(folder_ / "home/.cache/gradus/mnist");
  EXPECT_EQ(data.train.count, 60000);
  EXPECT_EQ(data.test.count, 10000);
  const Ran train = test::run_gradus("train mnist --epochs 1 --batch 6000", setting(""));
  EXPECT_THAT(train.output, HasSubstr("Test accuracy")) << "it is found there";
  const Ran again = fetch(server.url());
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(FetchMnist, FromAFolder) {
  for (const auto& [path, bytes] : files_) write("mirror" + path, bytes);
  const Ran ran = fetch("file://" + file("mirror"));
  EXPECT_EQ(ran.status, 0) << ran.output;
  expect_fetched();
}

// Where training looks, fetching puts them.
TEST_F(FetchMnist, GoesWhereTheVariableSays) {
  const HttpServer server([&](const HttpRequest& request) { return good(request); });
  const std::string set = setting(server.url()) + " GRADUS_MNIST=mine";
  const Ran ran = test::run_gradus("fetch mnist", set);
  EXPECT_THAT(ran.output, HasSubstr("MNIST is in mine\n"));
  EXPECT_EQ(left(), std::set<std::string>{});
  EXPECT_EQ(load_mnist(folder_ / "mine").test.count, 10000);
}

// What train would read counts, by whatever name it is there.
TEST_F(FetchMnist, LooksAtTheFilesThatTrainReads) {
  const HttpServer server([&](const HttpRequest& request) { return good(request); });
  const auto fetch_here = [&] { return test::run_gradus("fetch mnist --data mine", setting(server.url())); };
  for (const auto& [path, bytes] : files_) {
    std::string dotted = path;
    dotted.replace(dotted.rfind("-idx"), 1, ".");
    write("mine" + (path.starts_with("/t10k") ? dotted.substr(0, dotted.size() - 3) : dotted), bytes);
  }
  const Ran there = fetch_here();
  EXPECT_EQ(there.status, 0) << there.output;
  EXPECT_THAT(there.output, AllOf(HasSubstr("t10k-images.idx3-ubyte: it is there already"),
                                  HasSubstr("train-images.idx3-ubyte.gz: it is there already")));
  EXPECT_EQ(server.requests().size(), 0U);
  for (const char* name : {"t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"}) {
    write(std::string("mine/") + name, "damaged");
    const Ran ran = fetch_here();
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.output, AllOf(HasSubstr(std::string("mine/") + name + ": this is not the original"),
                                  HasSubstr("read before t10k-images-idx3-ubyte.gz"), HasSubstr("(--data)")));
    fs::remove(folder_ / "mine" / name);
  }
  // What is read behind the fetched one does not matter.
  write("mine/train-labels.idx1-ubyte.gz", "damaged");
  EXPECT_EQ(fetch_here().status, 0);
  EXPECT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(load_mnist(folder_ / "mine").test.count, 10000);
}

TEST_F(FetchMnist, LeavesAnotherSetOfTheSameNames) {
  const HttpServer server([&](const HttpRequest& request) { return good(request); });
  const std::string other = files_["/train-labels-idx1-ubyte.gz"];
  write("mine/t10k-labels-idx1-ubyte.gz", other);
  const Ran ran = test::run_gradus("fetch mnist --data mine", setting(server.url()));
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, AllOf(HasSubstr("mine/t10k-labels-idx1-ubyte.gz: this holds something else"),
                                HasSubstr("(--data)")));
  EXPECT_TRUE(read("mine/t10k-labels-idx1-ubyte.gz") == other);
  write("mine/t10k-labels-idx1-ubyte.gz", other.substr(0, 5000));  // cut short
  EXPECT_EQ(test::run_gradus("fetch mnist --data mine", setting(server.url())).status, 0);
  EXPECT_TRUE(read("mine/t10k-labels-idx1-ubyte.gz") == files_["/t10k-labels-idx1-ubyte.gz"]);
}

TEST_F(FetchMnist, GoesOnAfterBeingKilled) {
  std::atomic<bool> stalls = true;
  const HttpServer server([&](const HttpRequest& request) {
    HttpAnswer answer = good(request);
    if (!stalls || !request.path.starts_with("/train-images")) return answer;
    answer.promised = static_cast<std::int64_t>(answer.body.size());
    answer.body.resize(1000000);
    answer.stalls = true;
    return answer;
  });
  const Ran killed = test::run_gradus("fetch mnist", setting(server.url()) + " timeout -s KILL 2");
  EXPECT_NE(killed.status, 0);
  EXPECT_EQ(left(), std::set<std::string>{"train-images-idx3-ubyte.gz.part"});
  stalls = false;
  EXPECT_EQ(fetch(server.url()).status, 0);
  expect_fetched();
  const auto requests = server.requests();
  EXPECT_TRUE(
      std::ranges::any_of(requests, [](const HttpRequest& request) { return request.from == 1000000; }));
}

TEST_F(FetchMnist, TwoAtOnceEndWell) {
  const HttpServer server([&](const HttpRequest& request) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return good(request);
  });
  Ran one{-1, {}}, other{-1, {}};
  std::thread first([&] { one = fetch(server.url()); });
  std::thread second([&] { other = fetch(server.url()); });
  first.join();
  second.join();
  EXPECT_EQ(one.status, 0) << one.output;
  EXPECT_EQ(other.status, 0) << other.output;
  expect_fetched();
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(FetchMnist, AFullDiskLeavesNothing) {
  const HttpServer server([&](const HttpRequest& request) { return good(request); });
  const Ran ran = fetch(server.url(), "ulimit -f 1000; ");
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output,
              AllOf(HasSubstr("train-images-idx3-ubyte.gz: cannot be written"), HasSubstr("File too large")));
  EXPECT_EQ(left(), std::set<std::string>{});
}

TEST_F(FetchMnist, AWrongByteIsFound) {
  const HttpServer wrong([&](const HttpRequest& request) {
    HttpAnswer answer = good(request);
    if (request.path.starts_with("/t10k-labels")) answer.body[2000] ^= 1;
    return answer;
  });
  const Ran ran = fetch(wrong.url());
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output,
              AllOf(HasSubstr("t10k-labels-idx1-ubyte.gz: expected contents with the SHA-256 ff7bcfd4")));
  EXPECT_FALSE(left().contains("t10k-labels-idx1-ubyte.gz"));
  EXPECT_FALSE(left().contains("t10k-labels-idx1-ubyte.gz.part"));
  const HttpServer server([&](const HttpRequest& request) { return good(request); });
  EXPECT_EQ(fetch(wrong.url() + " " + server.url()).status, 0);
  expect_fetched();
}

}  // namespace
}  // namespace gradus
