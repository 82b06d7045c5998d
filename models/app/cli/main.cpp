#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <sstream>

#include "gradus/data/option_error.hpp"
#include "gradus/version.hpp"
#include "models/app/cli/command_line.hpp"
#include "models/app/cli/common_options.hpp"
#include "models/app/cli/fetch/fetch.hpp"
#include "models/app/cli/inspect.hpp"
#include "models/app/cli/mlp.hpp"
#include "models/app/cli/onnx/export.hpp"
#include "models/app/cli/profile.hpp"
#include "models/app/cli/standard_output.hpp"
#include "models/app/cli/train_options.hpp"
#include "models/app/cli/tutorials.hpp"
#include "models/data/file_writing.hpp"

namespace {

using namespace gradus::cli;

void add_tutorials(CLI::App& app, TutorialsOptions& options, int& status) {
  auto* command = app.add_subcommand("tutorials",
                                     "Train every tutorial from its written-out starting weights "
                                     "and compare each figure with the published and\n"
                                     "the expected one; exit status 1 if any is out of tolerance");
  add_output(command, "--json", options.json, "Write the rows to this file, too");
  add_data(command, options.reproduce.data);
  add_precision(command, options.reproduce.precision,
                "Compute in float or double (default double; float's tolerance is 1e-4, sine's 5 %)");
  command->callback([&options, &status] { status = tutorials(options); });
}

void add_predict(CLI::App& app, PredictOptions& options, int& status) {
  auto* command = app.add_subcommand(
      "predict", "Apply a model that 'train mlp --save' wrote to a table; answers with CSV");
  command->add_option("model", options.table.model, "The saved model")->required();
  command
      ->add_option("--data,--csv", options.table.data,
                   "The table: CSV, .npy or .npz; columns are found by their names")
      ->required();
  add_output(command, "--output", options.output, "Write here (default: the standard output)");
  auto& table = options.table;
  add_format(command, table.delimiter, table.decimal, table.thousands, table.na,
             " (default: as in the training)");
  command->add_flag("--strict", table.strict,
                    "A level that the training did not have, or a missing value, is an error");
  command->callback([&options, &status] { status = predict(options); });
}

void add_check(CLI::App& app, CheckOptions& options, int& status) {
  auto* command = app.add_subcommand(
      "check",
      "Compare a tutorial's gradients with central differences, in double; exit status 1 on a mismatch");
  command->add_option("name", options.name, "Which; see 'gradus list'")->required();
  command
      ->add_option("--mode", options.mode,
                   "full: every entry; fast: random directions and sampled entries (default: full where that "
                   "is estimated to take less than 5 s)")
      ->check(CLI::IsMember({"full", "fast"}));
  command->add_option("--order", options.order, "2: the gradient of the gradient, too")
      ->check(CLI::Range(1, 2))
      ->capture_default_str();
  add_output(command, "--json", options.json, "Write the report to this file, too");
  command->callback([&options, &status] { status = check(options); });
}

void add_graph(CLI::App& app, GraphOptions& options, int& status) {
  auto* command = app.add_subcommand("graph", "Print a tutorial's graph, or the program that it compiles to");
  command->add_option("name", options.name, "Which; see 'gradus list'")->required();
  command
      ->add_option("--what", options.what,
                   "forward, training (gradient and updates, too), stages (of the compiler) or plan")
      ->check(CLI::IsMember({"forward", "training", "stages", "plan"}))
      ->capture_default_str();
  command->add_option("--format", options.format, "text, dot, or svg (by graphviz)")
      ->check(CLI::IsMember({"text", "dot", "svg"}))
      ->capture_default_str();
  command->add_option("--boxes", options.boxes, "A picture of more boxes than this is folded by scope")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->callback([&options, &status] { status = graph(options); });
}

void add_profile(CLI::App& app, ProfileOptions& options, int& status) {
  auto* command = app.add_subcommand(
      "profile", "Time a tutorial's training step, step by step of its plan: ns, share, GFLOP/s, bytes");
  command->add_option("name", options.name, "Which; see 'gradus list'")->required();
  command->add_option("--batch", options.batch, "Samples a step (default: the tutorial's)")
      ->check(CLI::PositiveNumber);
  command->add_option("--runs", options.runs, "How many runs the medians are of")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_precision(command, options.precision, "float or double (default float)");
  add_output(command, "--json", options.json, "Write the figures to this file, too");
  add_output(command, "--svg", options.svg,
             "Draw the plan with its costs as colours into this file (by graphviz)");
  command->callback([&options, &status] { status = profile(options); });
}

void add_export(CLI::App& app, ExportOptions& options, int& status) {
  auto* command = app.add_subcommand("export", "Write a model's inference graph for other programs");
  command
      ->add_option(
          "model", options.model,
          "A file that 'train mlp --save' wrote, or a tutorial, with its written-out starting weights")
      ->required();
  add_output(command, "--onnx", options.onnx, "Write it to this file, as ONNX (opset 17)")->required();
  add_precision(command, options.precision, "float or double (default float; a saved model: its own)");
  command->callback([&options, &status] { status = export_model(options); });
}

void add_fetch(CLI::App& app, FetchCommandOptions& options, int& status) {
  auto* command = app.add_subcommand("fetch",
                                     "Fetch data from the network, checked and resumed; $GRADUS_MIRROR names "
                                     "other mirrors (http, https, file)");
  command->add_option("what", options.what, "mnist")->required()->check(CLI::IsMember({"mnist"}));
  command->add_option(
      "--data", options.data,
      "The folder to put it in (default: where training looks, $GRADUS_MNIST or ~/.cache/gradus/mnist)");
  command->callback([&options, &status] { status = fetch(options); });
}

// The options of all commands. The parser writes into them, so they must outlive it.
struct Arguments {
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
};

void add_commands(CLI::App& app, Arguments& arguments, const std::string& typed, int& status) {
  app.add_subcommand("list", "The tutorials, a line each")->callback([&status] { status = list(); });
  add_tutorials(app, arguments.tutorials, status);
  add_train(app, arguments.name, arguments.train, arguments.mlp, arguments.out, typed, status);
  add_predict(app, arguments.predict, status);
  add_check(app, arguments.check, status);
  add_graph(app, arguments.graph, status);
  add_profile(app, arguments.profile, status);
  add_export(app, arguments.export_model, status);
  add_fetch(app, arguments.fetch, status);
}

int run(int argc, char** argv) {
  std::vector<std::string> words{"gradus"};
  for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
  CLI::App app{
      "gradus: models written once as graphs of tensor ops, differentiated and compiled into one flat "
      "program.\n"
      "The classic back-propagation tutorials, on our own automatic differentiation.",
      "gradus"};
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
  int status = 0;

  Arguments arguments;
  add_commands(app, arguments, shell_command(words), status);

  // CLI11 would only say that a subcommand is required.
  const auto is_first_word = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_first_word).empty())
    throw gradus::Error(fmt::format("there is no command '{}'; see 'gradus --help'", argv[1]));

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream output, errors;
    for (std::ostringstream* text : {&output, &errors}) text->exceptions(std::ios::badbit);
    status = app.exit(error, output, errors);
    print_text(output.str());
    gradus::write_all(STDERR_FILENO, errors.str());
  }
  return status;
}

// Where the caller has closed one of them, the first file that is opened would be taken for it. It is opened
// so that using it fails.
void hold_standard_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(file, F_GETFD) < 0) open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

// The status tells even where nobody can be told why. Needs no memory.
int refused(std::string_view why) {
  flush_output();
  for (const std::string_view piece : {std::string_view("gradus: "), why, std::string_view("\n")})
    gradus::write_all(STDERR_FILENO, piece);
  return 1;
}

// Fails where the standard output, or a part of it, could not be written.
int checked_output(int status) {
  flush_output();
  if (output_error() == 0) return status;
  return refused(fmt::format("the standard output cannot be written: {}", std::strerror(output_error())));
}

int run_or_refuse(int argc, char** argv) {
  try {
    return checked_output(run(argc, argv));
  } catch (const gradus::OptionError& error) {
    return refused(with_options(error.what(), error.options()));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return refused(error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_files();
  try {
    return run_or_refuse(argc, argv);
  } catch (const std::bad_alloc&) {  // also one of an error's own words
    return refused("memory ran out; free some of it, or take smaller batches or less data");
  }
}
