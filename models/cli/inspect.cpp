#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "gradus/framework/compile/executable.hpp"
#include "gradus/framework/graph/gradient.hpp"
#include "gradus/framework/inspect/dump.hpp"
#include "gradus/models/cli/commands.hpp"

namespace gradus::cli {

int check(const CheckOptions& options) {
  const Problem p = find_tutorial(options.name).problem();
  const auto parameters = p.graph->parameters();
  // What has no loss is checked by its output.
  const Expr& checked = p.loss.is_null() ? p.prediction : p.loss;
  const GradientReport report = check_gradient(checked, parameters, p.point, p.batch);
  fmt::print("{}", report.text());
  fmt::print("{}: {}\n", options.name,
             report.ok() ? "all gradients agree with the differences" : "WRONG gradients");
  return report.ok() ? 0 : 1;
}

namespace {

// Graphviz does the drawing.
std::string svg(const std::string& dot) {
  if (std::system("command -v dot > /dev/null 2>&1") != 0)
    throw Error(
        "graph: the program 'dot' is not installed; get it with 'apt install graphviz', or use --format dot");
  std::string source = std::string(P_tmpdir) + "/gradus-XXXXXX";
  const int descriptor = mkstemp(source.data());
  if (descriptor < 0) throw Error("graph: no temporary file can be made in " P_tmpdir);
  close(descriptor);
  write_file(source, dot);
  std::string drawn;
  std::FILE* pipe = popen(("dot -Tsvg " + source).c_str(), "r");
  char buffer[4096];
  for (std::size_t n = 0; pipe != nullptr && (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    drawn.append(buffer, n);
  const int status = pipe == nullptr ? -1 : pclose(pipe);
  std::remove(source.c_str());
  if (status != 0) throw Error("graph: dot could not draw the graph");
  return drawn;
}

}  // namespace

int graph(const GraphOptions& options) {
  const Problem p = find_tutorial(options.name).problem();
  const bool training = options.what != "forward";
  if (training && p.loss.is_null())
    throw Error(fmt::format("graph: {} has nothing to train; use --what forward", options.name));
  const std::vector<Expr> outputs{training ? p.loss : p.prediction};
  const std::vector<Update> updates = training ? p.updates : std::vector<Update>();
  const bool text = options.format == "text";
  std::string drawn;
  if (options.what == "plan") {
    Store<float> store;
    const auto program = compile<float>(outputs, updates, p.batch, store);
    drawn = text ? plan_text(program.plan()) : plan_dot(program.plan());
  } else {
    drawn = text ? graph_text(outputs, updates) : graph_dot(outputs, updates);
  }
  fmt::print("{}", options.format == "svg" ? svg(drawn) : drawn);
  return 0;
}

}  // namespace gradus::cli
