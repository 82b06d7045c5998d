#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gradus::test {

/// A request, as far as tests of fetching look at it.
struct HttpRequest {
  std::string path;
  std::int64_t from = 0;  ///< where its Range begins
};

/// The answer: it may promise, stall, or break off as it likes.
struct HttpAnswer {
  std::string status = "200 OK";
  std::string headers = {};    ///< beside Content-Length, each with its line end
  std::string body = {};       ///< what is sent
  std::int64_t promised = -1;  ///< Content-Length; by default the body's; -2: none
  bool stalls = false;         ///< the connection stays open and silent after the body
};

/// What a well-behaved server with this file answers.
inline HttpAnswer ranged(const HttpRequest& request, const std::string& file) {
  const auto size = static_cast<std::int64_t>(file.size());
  if (request.from == 0) return {.body = file};
  if (request.from >= size)
    return {.status = "416 Range Not Satisfiable",
            .headers = "Content-Range: bytes */" + std::to_string(size) + "\r\n"};
  return {.status = "206 Partial Content",
          .headers = "Content-Range: bytes " + std::to_string(request.from) + "-" + std::to_string(size - 1) +
                     "/" + std::to_string(size) + "\r\n",
          .body = file.substr(static_cast<std::size_t>(request.from))};
}

/// An HTTP server on a free port of loopback, with a thread for each connection.
class HttpServer {
 public:
  using Handler = std::function<HttpAnswer(const HttpRequest&)>;

  explicit HttpServer(Handler handler)
      : handler_(std::move(handler)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || bind(listener_, general, size) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, general, &size) != 0)
      throw std::runtime_error("no server can listen on loopback");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~HttpServer() {
    ends_ = true;
    acceptor_.join();
    for (std::thread& each : answering_) each.join();
    close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// "http://127.0.0.1:PORT/".
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  static bool readable(int socket) {
    pollfd wanted{socket, POLLIN, 0};
    constexpr int milliseconds = 20;
    return poll(&wanted, 1, milliseconds) > 0;
  }

  void accept_all() {
    while (!ends_) {
      if (!readable(listener_)) continue;
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection >= 0) answering_.emplace_back([this, connection] { answer(connection); });
    }
  }

  void answer(int connection) {
    std::string head;
    char buffer[1024];
    while (head.find("\r\n\r\n") == std::string::npos && !ends_) {
      if (!readable(connection)) continue;
      const ssize_t count = recv(connection, buffer, sizeof buffer, 0);
      if (count <= 0) break;
      head.append(buffer, static_cast<std::size_t>(count));
    }
    HttpRequest request{head.substr(4, head.find(' ', 4) - 4)};
    constexpr std::string_view range = "Range: bytes=";
    if (const auto at = head.find(range); at != std::string::npos)
      request.from = std::stoll(head.substr(at + range.size()));
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const HttpAnswer made = handler_(request);
    std::string text = "HTTP/1.1 " + made.status + "\r\nConnection: close\r\n" + made.headers;
    if (made.promised != -2)
      text +=
          "Content-Length: " +
          std::to_string(made.promised < 0 ? static_cast<std::int64_t>(made.body.size()) : made.promised) +
          "\r\n";
    text += "\r\n" + made.body;
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t count = send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    // Until the other side gives up.
    while (made.stalls && !ends_)
      if (readable(connection) && recv(connection, buffer, sizeof buffer, 0) <= 0) break;
    shutdown(connection, SHUT_RDWR);
    close(connection);
  }

  Handler handler_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ends_ = false;
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::vector<std::thread> answering_;
  std::thread acceptor_;
};

}  // namespace gradus::test
