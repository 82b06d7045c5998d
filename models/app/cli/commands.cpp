#include "models/app/cli/commands.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <sstream>
#include <utility>

#include "framework/base/aligned.hpp"
#include "gradus/base/error.hpp"
#include "gradus/version.hpp"
#include "models/app/cli/command_line.hpp"
#include "models/app/cli/common_options.hpp"
#include "models/app/cli/fetch/fetch.hpp"
#include "models/app/cli/inspect.hpp"
#include "models/app/cli/mlp.hpp"
#include "models/app/cli/number_option.hpp"
#include "models/app/cli/onnx/export.hpp"
#include "models/app/cli/profile.hpp"
#include "models/app/cli/standard_output.hpp"
#include "models/app/cli/train_options.hpp"
#include "models/app/cli/tutorials.hpp"
#include "models/app/cli/words.hpp"
#include "models/data/printable.hpp"

namespace gradus::cli {

namespace {

void add_tutorials(CLI::App& app, TutorialsOptions& options, Chosen& chosen) {
  auto* command = app.add_subcommand("tutorials",
                                     "Train every tutorial from its written-out starting weights "
                                     "and compare each figure with the published and\n"
                                     "the expected one; exit status 1 if any is out of tolerance");
  command->add_option("--json", options.json, "Write the rows to this file, too");
  add_data(command, options.reproduce.data);
  add_precision(command, options.reproduce.precision,
                "Compute in float or double (default double; float's tolerance is 1e-4, sine's 5 %)");
  command->callback([&options, &chosen] { chosen = [&options] { return tutorials(options); }; });
}

void add_predict(CLI::App& app, PredictOptions& options, Chosen& chosen) {
  auto* command = app.add_subcommand(
      "predict", "Apply a model that 'train mlp --save' wrote to a table; answers with CSV");
  command->add_option("model", options.table.model, "The saved model")->required();
  command
      ->add_option("--data,--csv", options.table.data,
                   "The table: CSV, .npy or .npz; columns are found by their names")
      ->required();
  command->add_option("--output", options.output, "Write here (default: the standard output)");
  auto& table = options.table;
  add_format(command, table.delimiter, table.decimal, table.thousands, table.na,
             " (default: as in the training)");
  command->add_flag("--strict", table.strict,
                    "A level that the training did not have, or a missing value, is an error");
  command->callback([&options, &chosen] { chosen = [&options] { return predict(options); }; });
}

void add_check(CLI::App& app, CheckOptions& options, Chosen& chosen) {
  auto* command = app.add_subcommand(
      "check",
      "Compare a tutorial's gradients with central differences, in double; exit status 1 on a mismatch");
  command->add_option("name", options.name, "Which; see 'gradus list'")->required();
  command
      ->add_option("--mode", options.mode,
                   "full: every entry; fast: random directions and sampled entries (default: full where that "
                   "is estimated to take less than 5 s)")
      ->check(one_of({"full", "fast"}));
  add_number<std::int64_t>(command, "--order", options.order, "2: the gradient of the gradient, too", {1, 2});
  command->add_option("--json", options.json, "Write the report to this file, too");
  command->callback([&options, &chosen] { chosen = [&options] { return check(options); }; });
}

void add_graph(CLI::App& app, GraphOptions& options, Chosen& chosen) {
  auto* command = app.add_subcommand("graph", "Print a tutorial's graph, or the program that it compiles to");
  command->add_option("name", options.name, "Which; see 'gradus list'")->required();
  command
      ->add_option("--what", options.what,
                   "forward, training (gradient and updates, too), stages (of the compiler) or plan")
      ->check(one_of({"forward", "training", "stages", "plan"}))
      ->capture_default_str();
  command->add_option("--format", options.format, "text, dot, or svg (by graphviz)")
      ->check(one_of({"text", "dot", "svg"}))
      ->capture_default_str();
  add_number<std::uint64_t>(command, "--boxes", options.boxes,
                            fmt::format("A picture of more boxes than this is folded by scope (default {})",
                                        DrawOptions().most_boxes),
                            {.least = 1});
  command->callback([&options, &chosen] { chosen = [&options] { return graph(options); }; });
}

void add_profile(CLI::App& app, ProfileOptions& options, Chosen& chosen) {
  auto* command = app.add_subcommand(
      "profile", "Time a tutorial's training step, step by step of its plan: ns, share, GFLOP/s, bytes");
  command->add_option("name", options.name, "Which; see 'gradus list'")->required();
  add_number<std::int64_t>(command, "--batch", options.batch, "Samples a step (default: the tutorial's)",
                           {.least = 1});
  add_number<std::uint64_t>(command, "--runs", options.runs, "How many runs the medians are of",
                            {.least = 1});
  add_precision(command, options.precision, "float or double (default float)");
  command->add_option("--json", options.json, "Write the figures to this file, too");
  command->add_option("--svg", options.svg,
                      "Draw the plan with its costs as colours into this file (by graphviz)");
  command->callback([&options, &chosen] { chosen = [&options] { return profile(options); }; });
}

void add_export(CLI::App& app, ExportOptions& options, Chosen& chosen) {
  auto* command = app.add_subcommand("export", "Write a model's inference graph for other programs");
  command
      ->add_option(
          "model", options.model,
          "A file that 'train mlp --save' wrote, or a tutorial, with its written-out starting weights")
      ->required();
  command->add_option("--onnx", options.onnx, "Write it to this file, as ONNX (opset 17)")->required();
  add_precision(command, options.precision, "float or double (default float; a saved model: its own)");
  command->callback([&options, &chosen] { chosen = [&options] { return export_model(options); }; });
}

void add_fetch(CLI::App& app, FetchCommandOptions& options, Chosen& chosen) {
  auto* command = app.add_subcommand("fetch",
                                     "Fetch data from the network, checked and resumed; $GRADUS_MIRROR names "
                                     "other mirrors (http, https, file)");
  command->add_option("what", options.what, "mnist")->required()->check(one_of({"mnist"}));
  command->add_option(
      "--data", options.data,
      "The folder to put it in (default: where training looks, $GRADUS_MNIST or ~/.cache/gradus/mnist)");
  command->callback([&options, &chosen] { chosen = [&options] { return fetch(options); }; });
}

}  // namespace

// The parser writes into them.
struct CommandLine::Arguments {
  TutorialsOptions tutorials;
  std::string name;  // of the tutorial to train
  gradus::TrainOptions train;
  MlpOptions mlp;
  std::string out;
  PredictOptions predict;
  CheckOptions check;
  GraphOptions graph;
  ProfileOptions profile;
  ExportOptions export_model;
  FetchCommandOptions fetch;
  std::size_t memory = 0;  // 0: no limit
};

CommandLine::CommandLine(std::vector<std::string> words)
    : words_(std::move(words)),
      arguments_(std::make_unique<Arguments>()),
      app_(std::make_unique<CLI::App>(
          "gradus: models written once as graphs of tensor ops, differentiated and compiled into one flat "
          "program.\n"
          "The classic back-propagation tutorials, on our own automatic differentiation.",
          "gradus")) {
  CLI::App& app = *app_;
  app.set_version_flag("--version", fmt::format("gradus {}", gradus::version));
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  gradus tutorials --json figures.json\n"
      "  gradus train height-weight --seed 7\n"
      "  gradus fetch mnist\n"
      "  gradus train mnist --data ~/mnist --epochs 3 --out out\n"
      "  gradus train mlp --data iris.csv --target species --hidden 16,16 --save iris.safetensors\n"
      "  gradus predict iris.safetensors --data flowers.csv\n"
      "  gradus export iris.safetensors --onnx iris.onnx\n"
      "  gradus check two-targets\n"
      "  gradus graph sine --what plan\n"
      "  gradus profile mnist --batch 32");
  Arguments& arguments = *arguments_;
  const std::string typed = words_.empty() ? "gradus" : "gradus " + shell_command(words_);
  Chosen& chosen = chosen_;
  app.add_subcommand("list", "The tutorials, a line each")->callback([&chosen] { chosen = list; });
  add_tutorials(app, arguments.tutorials, chosen);
  add_train(app, arguments.name, arguments.train, arguments.mlp, arguments.out, typed, chosen);
  add_predict(app, arguments.predict, chosen);
  add_check(app, arguments.check, chosen);
  add_graph(app, arguments.graph, chosen);
  add_profile(app, arguments.profile, chosen);
  add_export(app, arguments.export_model, chosen);
  add_fetch(app, arguments.fetch, chosen);
  for (CLI::App* each : app.get_subcommands([](const CLI::App* any) { return any->get_name() != "list"; })) {
    add_memory(each, arguments.memory);
    for (CLI::App* within : each->get_subcommands({})) add_memory(within, arguments.memory);
  }
}

CommandLine::~CommandLine() = default;

Chosen CommandLine::parse() {
  constexpr std::size_t longest_message = 240;  // characters; one may repeat all words
  const std::string command = check_words(*app_, words_);
  try {
    app_->parse(std::vector<std::string>(words_.rbegin(), words_.rend()));
  } catch (const CLI::Success& asked) {
    std::ostringstream answer;
    answer.exceptions(std::ios::badbit);  // or memory that runs out would cut it short
    const int status = app_->exit(asked, answer, answer);
    return [text = answer.str(), status] {
      print_data(text);
      return status;
    };
  } catch (const CLI::ParseError& error) {
    throw Error(with_help(shortened(error.what(), longest_message), command));
  }
  // The parser takes a command behind "--" for one, without calling it.
  if (!chosen_) throw Error(with_help("these words ask for no command; leave '--' out", command));
  return [command_chosen = chosen_, memory = arguments_->memory] {
    if (memory > 0) limit_memory(memory);
    return command_chosen();
  };
}

}  // namespace gradus::cli
