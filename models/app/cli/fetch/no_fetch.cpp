// A build without libcurl and libmd.
#include "gradus/base/error.hpp"
#include "models/app/cli/fetch/fetch.hpp"

namespace gradus::cli {

bool can_fetch() { return false; }

int fetch(const FetchCommandOptions&) {
  throw Error(
      "fetch: this gradus was built without libcurl; install libcurl4-openssl-dev and libmd-dev and build it "
      "again");
}

}  // namespace gradus::cli
