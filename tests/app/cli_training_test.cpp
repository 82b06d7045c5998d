// The program's training: what it predicts, splits, and goes on from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

using test::Ran;
using testing::HasSubstr;

using Training = test::ProgramTest;

// Two classes that x tells apart.
std::string two_classes() {
  std::string text = "x,y,kind\n";
  for (int i = 0; i < 40; ++i)
    text += std::to_string((i % 2 == 0 ? 2 : -2) + std::sin(i)) + "," + std::to_string(std::cos(i)) +
            (i % 2 == 0 ? ",a\n" : ",b\n");
  return text;
}

// For each program the reason is the system's, and the option is named, before anything is trained.
TEST_F(Training, FoldersThatCannotBeMade) {
  write("taken", "mine");
  write("t.csv", two_classes());
  namespace fs = std::filesystem;
  fs::create_directories(folder_ / "locked");
  fs::permissions(folder_, fs::perms::owner_all | fs::perms::others_exec | fs::perms::others_read);
  fs::permissions(folder_ / "locked", fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                                          fs::perms::others_exec);
  struct Case {
    std::string folder, reason;
  };
  const std::vector<Case> cases{{"taken", "there is a file of this name"},
                                {"taken/within", "Not a directory"},
                                {"locked/within/it", "Permission denied"}};
  // The superuser may write everywhere.
  const std::string nobody = geteuid() == 0 ? "setpriv --reuid 65534 --regid 65534 --clear-groups" : "";
  const bool may_be_nobody =
      nobody.empty() || test::run_command(nobody + " '" GRADUS_PROGRAM "' --version").status == 0;
  for (const Case& c : cases)
    for (const auto& [command, option] :
         {std::pair("train sine --epochs 3 --tensorboard", "--tensorboard"),
          std::pair("train mlp --data t.csv --target kind --epochs 3 --tensorboard", "--tensorboard"),
          std::pair("train sine --epochs 3 --out", "--out"), std::pair("fetch mnist --data", "--data")}) {
      if (c.reason == "Permission denied" && !may_be_nobody) continue;
      const Ran ran = test::run_gradus(std::string(command) + " " + c.folder,
                                       "cd '" + folder_.string() + "' && " + nobody);
      EXPECT_EQ(ran.status, 1) << command;
      EXPECT_THAT(ran.output, testing::AllOf(HasSubstr(c.folder + ": the folder cannot be made: " + c.reason),
                                             HasSubstr("; name "), HasSubstr(std::string("(") + option + ")"),
                                             testing::Not(HasSubstr("Epoch"))))
          << command;
    }
}

TEST_F(Training, AFolderThatIsThereMustBeWritable) {
  std::filesystem::create_directories(folder_ / "runs" / "events.out.tfevents");  // in the way of the trial
  const Ran ran = run("train sine --epochs 3 --tensorboard runs");
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, testing::AllOf(HasSubstr("cannot be written"), HasSubstr("(--tensorboard)"),
                                         testing::Not(HasSubstr("Epoch"))));
}

TEST_F(Training, CheckpointStepsNeedACheckpoint) {
  write("t.csv", two_classes());
  for (const char* command : {"train sine", "train mlp --data t.csv --target kind"}) {
    const Ran ran = run(std::string(command) + " --epochs 2 --checkpoint-steps 3");
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.output, HasSubstr("checkpoint_steps needs a checkpoint file to write "
                                      "(--checkpoint-steps, --checkpoint)"));
    EXPECT_EQ(run(std::string(command) + " --epochs 2 --checkpoint-steps 3 --checkpoint c").status, 0);
    std::filesystem::remove(folder_ / "c");
  }
}

// In double up to the text, so that a large mean does not swallow what was learnt.
TEST_F(Training, PredictsWhatTheTrainingReports) {
  for (const auto& [start, precision] : {std::pair(1700000000LL, "float"), std::pair(1700000000LL, "double"),
                                         std::pair(-5000000000000LL, "float")}) {
    std::string text = "i,t\n";
    for (int i = 0; i < 200; ++i) text += std::to_string(i) + "," + std::to_string(start + i) + "\n";
    write("t.csv", text);
    const Ran train = run(std::string("train mlp --csv t.csv --target t --epochs 300 --rate 0.01 --save m ") +
                          "--precision " + precision);
    ASSERT_EQ(train.status, 0) << train.output;
    const std::string words = "mean absolute error ";
    const double reported = std::stod(train.output.substr(train.output.find(words) + words.size()));
    std::istringstream predicted(run("predict m --csv t.csv").output);
    std::string line;
    std::getline(predicted, line);
    double error = 0;
    for (int i = 0; std::getline(predicted, line); ++i)
      error += std::abs(std::stod(line) - static_cast<double>(start + i)) / 200;
    EXPECT_LT(error, 0.5) << start << precision;
    EXPECT_NEAR(error, reported, 0.3 * reported + 1e-3) << start << precision;
  }
}

TEST_F(Training, HasNoR2ForAConstantTarget) {
  for (const char* target : {"5", "0.1", "-1e30", "0"}) {
    std::string text = "i,t\n";
    for (int i = 0; i < 50; ++i) text += std::to_string(i) + "," + target + "\n";
    write("t.csv", text);
    const Ran train = run("train mlp --csv t.csv --target t --epochs 2 --regress");
    EXPECT_THAT(train.output, testing::AllOf(HasSubstr("training:   R² not defined"),
                                             HasSubstr("validation: R² not defined")))
        << target;
  }
}

TEST_F(Training, SplitsByAnyFraction) {
  for (const auto& [split, rows, training] : {std::tuple("0.9", 10, 1), {"0.8", 10, 2}, {"0.9", 100, 10}}) {
    std::string text = "i,t\n";
    for (int i = 0; i < rows; ++i) text += std::to_string(i) + "," + std::to_string(i) + "\n";
    write("t.csv", text);
    const Ran train =
        run(std::string("train mlp --csv t.csv --target t --epochs 1 --validation-split ") + split);
    EXPECT_THAT(train.output, HasSubstr("(" + std::to_string(training) + " rows)"));
  }
}

TEST_F(Training, GoesOnWithAnotherRateAndNothingElse) {
  write("t.csv", two_classes());
  const std::string train = "train mlp --csv t.csv --target kind --checkpoint c ";
  const std::string begun = train + "--epochs 2 --batch 8 --patience 9";
  const auto resumed = [&](std::string options) {
    EXPECT_EQ(run(begun).status, 0);
    for (const std::string same : {"--batch 8", "--patience 9"})
      if (options.find(same.substr(0, same.find(' '))) == std::string::npos) options += " " + same;
    return run(train + "--epochs 3 --resume " + options);
  };
  const Ran rate = resumed("--rate 0.005");
  EXPECT_EQ(rate.status, 0);
  EXPECT_THAT(rate.output, HasSubstr("Note: 'adam/rate' is 0.005, as asked for; the training that is resumed "
                                     "began with 0.001"));
  const std::vector<std::pair<std::string, std::string>> others{
      {"--dropout 0.1", "dropout 0, not 0.1"},
      {"--activation tanh", "activation relu, not tanh"},
      {"--hidden 16", "hidden 32, not 16"},
      {"--norm layer", "normalization none, not layer"},
      {"--clip-norm 1", "clip norm none, not 1"},
      {"--clip-value 1", "clip value none, not 1"},
      {"--weight-decay 0.1", "weight decay none, not 0.1"},
      {"--optimizer sgd", "optimizer adam, not sgd"},
      {"--raw", "standardize yes, not no"},
      {"--in-order", "in order no, not yes"},
      {"--validation-split 0.3", "validation split 0.2, not 0.3"},
      {"--seed 2", "seed 1, not 2"},
      {"--batch 4", "batch 8 rows, not 4 rows"},
      {"--patience 5", "patience 9 epochs, not 5 epochs"},
      {"--precision double", "precision float, not double"},
      {"--features x", "features all, not x"},
      {"--hidden 16 --dropout 0.1", "dropout 0, not 0.1; hidden 32, not 16; resume with the same"}};
  for (const auto& [options, difference] : others) {
    const Ran ran = resumed(options);
    EXPECT_EQ(ran.status, 1) << options;
    EXPECT_THAT(ran.output, HasSubstr("checkpoint 'c': it was made with other options: " + difference));
  }
  EXPECT_NE(resumed("--threads 0").status, 0);
  EXPECT_EQ(run(begun).status, 0);
  EXPECT_THAT(run(train + "--epochs 3 --batch 8 --resume").output, HasSubstr("patience 9 epochs, not none"));
  std::string other = two_classes();
  other[other.find('.') + 1] ^= 1;
  write("t.csv", other);
  const Ran data = run(train + "--epochs 3 --batch 8 --patience 9 --resume");
  EXPECT_NE(data.status, 0);
  EXPECT_THAT(data.output, HasSubstr("the checkpoint is of other data"));
}

}  // namespace
}  // namespace gradus
