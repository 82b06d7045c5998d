#include "models/app/fetch/transfer.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <exception>
#include <memory>
#include <new>
#include <string_view>

#include "gradus/base/error.hpp"
#include "gradus/version.hpp"

namespace gradus {

namespace {

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

// The data of curl's callbacks. Exceptions may not pass through curl.
struct Receiver {
  PartFile& part;
  const TransferOptions& options;
  std::int64_t before;  // bytes that were there
  std::int64_t received = 0;
  bool too_many = false;
  std::exception_ptr error = nullptr;
};

std::size_t receive(const char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& receiver = *static_cast<Receiver*>(user);
  const std::size_t all = size * count;
  receiver.received += static_cast<std::int64_t>(all);
  receiver.too_many = receiver.before + receiver.received > receiver.options.most_bytes;
  if (receiver.too_many) return CURL_WRITEFUNC_ERROR;
  try {
    receiver.part.append({bytes, all});
  } catch (...) {
    receiver.error = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
  return all;
}

int tell(void* user, curl_off_t all, curl_off_t done, curl_off_t /*to send*/, curl_off_t /*sent*/) {
  const auto& receiver = *static_cast<const Receiver*>(user);
  if (receiver.options.progress && done > 0)
    receiver.options.progress(receiver.before + done, all > 0 ? receiver.before + all : 0);
  return 0;
}

Handle new_handle() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  Handle handle(started == CURLE_OK ? curl_easy_init() : nullptr, &curl_easy_cleanup);
  if (handle == nullptr) throw Error("libcurl cannot be started; is there enough memory?");
  return handle;
}

// Curl keeps copies of some values, which takes memory.
template <class Value> void set(CURL* curl, CURLoption option, Value value) {
  if (curl_easy_setopt(curl, option, value) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
}

void set_up(CURL* curl, const std::string& url, Receiver& receiver, char* reason) {
  constexpr long slowest = 200;  // bytes a second
  constexpr long most_redirections = 10;
  const TransferOptions& options = receiver.options;
  set(curl, CURLOPT_URL, url.c_str());
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
  set(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_FOLLOWLOCATION, 1L);
  set(curl, CURLOPT_MAXREDIRS, most_redirections);
  set(curl, CURLOPT_FAILONERROR, 1L);
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_seconds));
  set(curl, CURLOPT_LOW_SPEED_LIMIT, slowest);
  set(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_seconds));
  set(curl, CURLOPT_USERAGENT, fmt::format("gradus/{}", version).c_str());
  set(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(receiver.before));
  set(curl, CURLOPT_ERRORBUFFER, reason);
  set(curl, CURLOPT_WRITEFUNCTION, &receive);
  set(curl, CURLOPT_WRITEDATA, &receiver);
  set(curl, CURLOPT_NOPROGRESS, 0L);
  set(curl, CURLOPT_XFERINFOFUNCTION, &tell);
  set(curl, CURLOPT_XFERINFODATA, &receiver);
}

Transfer::End end_of(CURL* curl, CURLcode code) {
  curl_off_t connected = 0;  // microseconds until a request could be sent
  curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
  if (code == CURLE_OPERATION_TIMEDOUT && connected == 0) return Transfer::End::unreachable;
  switch (code) {
    case CURLE_OK:
      return Transfer::End::complete;
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return Transfer::End::cut;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Transfer::End::unreachable;
    case CURLE_RANGE_ERROR:
    case CURLE_BAD_DOWNLOAD_RESUME:
      return Transfer::End::no_range;
    default:
      return Transfer::End::refused;
  }
}

}  // namespace

std::string without_password(std::string_view address) {
  const std::size_t scheme = address.find("://");
  const std::size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::string_view host = address.substr(start, address.find_first_of("/?#", start) - start);
  const std::size_t at = host.rfind('@');
  if (at == std::string_view::npos) return std::string(address);
  return std::string(address.substr(0, start)).append(address.substr(start + at + 1));
}

Transfer transfer(const std::string& url, PartFile& part, const TransferOptions& options) {
  if (options.progress) options.progress(part.size(), 0);  // of which nothing was done now
  const Handle curl = new_handle();
  Receiver receiver{part, options, part.size()};
  std::array<char, CURL_ERROR_SIZE> reason{};
  set_up(curl.get(), url, receiver, reason.data());
  const CURLcode code = curl_easy_perform(curl.get());
  if (receiver.error != nullptr) std::rethrow_exception(receiver.error);
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (receiver.too_many) {
    part.clear();
    return {Transfer::End::refused,
            fmt::format("it has more than {} bytes, which the file cannot have", options.most_bytes)};
  }
  if (code == CURLE_HTTP_RETURNED_ERROR) {
    constexpr long range_not_satisfiable = 416;  // nothing is there behind what we have
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status == range_not_satisfiable && receiver.before > 0) return {};
    return {Transfer::End::refused, fmt::format("the server answered with the HTTP status {}", status)};
  }
  return {end_of(curl.get(), code), reason.front() != '\0' ? reason.data() : curl_easy_strerror(code)};
}

}  // namespace gradus
