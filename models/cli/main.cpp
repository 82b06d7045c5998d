#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <map>

#include "gradus/framework/graph/error.hpp"
#include "gradus/models/cli/commands.hpp"

namespace {

using gradus::Precision;
using namespace gradus::cli;

const std::map<std::string, Precision> precisions{{"float", Precision::single},
                                                  {"double", Precision::double_}};

template <class Target>
CLI::Option* add_precision(CLI::App* command, Target& precision, const std::string& help) {
  return command
      ->add_option_function<std::string>(
          "--precision", [&precision](const std::string& name) { precision = precisions.at(name); }, help)
      ->check(CLI::IsMember({"float", "double"}));
}

CLI::Option* add_data(CLI::App* command, std::string& data) {
  return command->add_option(
      "--data", data, "Folder of the MNIST files (else $GRADUS_MNIST, ./data/mnist, ~/.cache/gradus/mnist)");
}

int run(int argc, char** argv) {
  CLI::App app{
      "gradus: models written once as graphs of tensor ops, differentiated and compiled into one flat "
      "program.\n"
      "The classic back-propagation tutorials, on our own automatic differentiation.",
      "gradus"};
  app.set_version_flag("--version", "gradus " GRADUS_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  gradus tutorials --json figures.json\n"
      "  gradus train height-weight --seed 7\n"
      "  gradus train mnist --data ~/mnist --epochs 3\n"
      "  gradus check two-targets\n"
      "  gradus graph sine --what plan\n"
      "  gradus profile mnist --batch 32");
  int status = 0;

  app.add_subcommand("list", "The tutorials, a line each")->callback([&] { status = list(); });

  TutorialsOptions tutorials_options;
  auto* tutorials_command = app.add_subcommand("tutorials",
                                               "Train every tutorial from its written-out starting weights "
                                               "and compare each figure with the published and\n"
                                               "the expected one; exit status 1 if any is out of tolerance");
  tutorials_command->add_option("--json", tutorials_options.json, "Write the rows to this file, too");
  add_data(tutorials_command, tutorials_options.reproduce.data);
  add_precision(tutorials_command, tutorials_options.reproduce.precision,
                "Compute in float or double (default double; float's tolerance is 1e-4, sine's 5 %)");
  tutorials_command->callback([&] { status = tutorials(tutorials_options); });

  std::string name;
  gradus::TrainOptions train_options;
  auto* train_command =
      app.add_subcommand("train", "Train a tutorial from random starting weights and show what it learnt");
  train_command->add_option("name", name, "Which; see 'gradus list'")->required();
  train_command->add_option("--epochs", train_options.epochs,
                            "Passes over the data (default: the tutorial's)");
  train_command->add_option("--rate", train_options.rate, "Learning rate (default: the tutorial's)");
  train_command->add_option("--batch", train_options.batch, "Samples a step (default: the tutorial's)");
  train_command->add_option("--seed", train_options.seed, "Of starting weights and shuffling")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  train_command->add_option("--init-scale", train_options.init_scale,
                            "bp-network: starting weights are this times N(0, 1) (default 1; try 0.01)");
  add_precision(train_command, train_options.precision, "float or double (default double; mnist: float)");
  add_data(train_command, train_options.data);
  train_command->callback([&] {
    train_options.live = isatty(STDOUT_FILENO) != 0;
    status = train(name, train_options);
  });

  CheckOptions check_options;
  auto* check_command = app.add_subcommand(
      "check",
      "Compare a tutorial's gradients with central differences, in double; exit status 1 on a mismatch");
  check_command->add_option("name", check_options.name, "Which; see 'gradus list'")->required();
  check_command
      ->add_option("--mode", check_options.mode,
                   "full: every entry; fast: random directions and sampled entries (default: full up to 200 "
                   "parameters)")
      ->check(CLI::IsMember({"full", "fast"}));
  check_command->add_option("--order", check_options.order, "2: the gradient of the gradient, too")
      ->check(CLI::Range(1, 2))
      ->capture_default_str();
  check_command->add_option("--json", check_options.json, "Write the report to this file, too");
  check_command->callback([&] { status = check(check_options); });

  GraphOptions graph_options;
  auto* graph_command =
      app.add_subcommand("graph", "Print a tutorial's graph, or the program that it compiles to");
  graph_command->add_option("name", graph_options.name, "Which; see 'gradus list'")->required();
  graph_command
      ->add_option("--what", graph_options.what, "forward, training (gradient and updates, too) or plan")
      ->check(CLI::IsMember({"forward", "training", "plan"}))
      ->capture_default_str();
  graph_command->add_option("--format", graph_options.format, "text, dot, or svg (by graphviz)")
      ->check(CLI::IsMember({"text", "dot", "svg"}))
      ->capture_default_str();
  graph_command->callback([&] { status = graph(graph_options); });

  ProfileOptions profile_options;
  auto* profile_command = app.add_subcommand(
      "profile", "Time a tutorial's training step, step by step of its plan: ns, share, GFLOP/s, bytes");
  profile_command->add_option("name", profile_options.name, "Which; see 'gradus list'")->required();
  profile_command->add_option("--batch", profile_options.batch, "Samples a step (default: the tutorial's)")
      ->check(CLI::PositiveNumber);
  profile_command->add_option("--runs", profile_options.runs, "How many runs the medians are of")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_precision(profile_command, profile_options.precision, "float or double (default float)");
  profile_command->add_option("--json", profile_options.json, "Write the figures to this file, too");
  profile_command->add_option("--svg", profile_options.svg,
                              "Draw the plan with its costs as colours into this file (by graphviz)");
  profile_command->callback([&] { status = profile(profile_options); });

  // CLI11 would only say that a subcommand is required.
  const auto is_first_word = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_first_word).empty())
    throw gradus::Error(fmt::format("there is no command '{}'; see 'gradus --help'", argv[1]));

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fflush(stdout);
    fmt::print(stderr, "gradus: {}\n", error.what());
    return 1;
  }
}
