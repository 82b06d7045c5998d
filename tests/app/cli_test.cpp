// The program as a person meets it: what it prints, and what it says to bad input. Every refusal has its own
// message, a non-zero exit status, and writes nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "models/tutorials/all.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using test::Ran;
using test::run_gradus;
using testing::AllOf;
using testing::HasSubstr;

void expect_refused(const Ran& answer, const testing::Matcher<std::string>& message) {
  EXPECT_NE(answer.status, 0) << answer.output;
  EXPECT_THAT(answer.output, message);
  EXPECT_THAT(answer.output, testing::Not(HasSubstr("terminate")));
}

// Without MNIST, wherever it may be.
constexpr const char* nowhere = "cd /tmp && env -u GRADUS_MNIST HOME=/nonexistent";

using Cli = test::FolderTest;

TEST_F(Cli, HelpAndVersion) {
  const Ran help = run_gradus("--help");
  EXPECT_EQ(help.status, 0);
  for (const char* command : {"list", "tutorials", "train", "check", "graph"})
    EXPECT_THAT(help.output, HasSubstr(command));
  const Ran version = run_gradus("--version");
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.output, testing::MatchesRegex("gradus [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Cli, ListNamesEveryTutorial) {
  const Ran list = run_gradus("list");
  EXPECT_EQ(list.status, 0);
  for (const Tutorial* tutorial : tutorials())
    EXPECT_THAT(list.output, HasSubstr(std::string(tutorial->name())));
}

TEST_F(Cli, TutorialsWritesItsRowsAsJson) {
  const Ran tutorials = run_gradus("tutorials --json " + file("rows.json"), nowhere);
  EXPECT_EQ(tutorials.status, 0) << tutorials.output;
  EXPECT_THAT(tutorials.output, AllOf(HasSubstr("mnist          left out"), HasSubstr("GRADUS_MNIST")));
  const auto rows = nlohmann::json::parse(std::ifstream(file("rows.json")));
  ASSERT_TRUE(rows.is_array());
  std::set<std::string> quantities;
  for (const auto& row : rows) {
    EXPECT_EQ(row.size(), 7U);
    EXPECT_TRUE(row["ok"].get<bool>()) << row;
    EXPECT_TRUE(row["published"].is_null() || row["published"].is_number());
    for (const char* number : {"expected", "ours", "tolerance"})
      EXPECT_TRUE(row[number].is_number()) << number;
    quantities.insert(row["tutorial"].get<std::string>() + "/" + row["quantity"].get<std::string>());
  }
  for (const char* quantity :
       {"neuron/output", "feedforward/output", "height-weight/mse_example", "height-weight/dL_dw1",
        "height-weight/final_loss", "height-weight/emily", "height-weight/frank", "two-targets/o1",
        "two-targets/o2", "two-targets/loss", "exam-score/final_loss", "exam-score/predict_4h_8h",
        "bp-network/final_loss", "sine/final_loss"})
    EXPECT_TRUE(quantities.contains(quantity)) << quantity;
}

TEST_F(Cli, CheckPassesForEveryTutorialThatIsSmall) {
  for (const char* name :
       {"neuron", "feedforward", "height-weight", "two-targets", "exam-score", "bp-network", "sine"}) {
    const Ran check = run_gradus(std::string("check ") + name);
    EXPECT_EQ(check.status, 0) << check.output;
    EXPECT_THAT(check.output, HasSubstr("all gradients agree"));
  }
}

TEST_F(Cli, GraphPrintsEveryView) {
  EXPECT_THAT(run_gradus("graph sine --what forward").output, HasSubstr("matmul"));
  EXPECT_THAT(run_gradus("graph sine --what training").output, HasSubstr("update hidden/W"));
  EXPECT_THAT(run_gradus("graph sine --what plan").output, HasSubstr("arena"));
  EXPECT_THAT(run_gradus("graph sine --what training --format dot").output, HasSubstr("digraph"));
  EXPECT_THAT(run_gradus("graph sine --what plan --format dot").output, HasSubstr("digraph"));
  EXPECT_EQ(run_gradus("graph neuron --what forward").status, 0);
}

TEST_F(Cli, TrainPrintsLossesAndPredictions) {
  const Ran train = run_gradus("train height-weight --epochs 21 --seed 3 --precision float");
  EXPECT_EQ(train.status, 0);
  for (const char* line : {"Epoch 0 loss", "Epoch 10 loss", "Epoch 20 loss", "Emily", "Frank"})
    EXPECT_THAT(train.output, HasSubstr(line));
}

TEST_F(Cli, RefusesWhatDoesNotExist) {
  expect_refused(run_gradus("train nothing"),
                 AllOf(HasSubstr("no tutorial 'nothing'"), HasSubstr("height-weight")));
  expect_refused(run_gradus("check nothing"), HasSubstr("no tutorial 'nothing'"));
  expect_refused(run_gradus("graph nothing"), HasSubstr("no tutorial 'nothing'"));
  expect_refused(run_gradus("fly"), HasSubstr("fly"));
  expect_refused(run_gradus("train sine --colour red"), HasSubstr("--colour"));
  expect_refused(run_gradus(""), HasSubstr("subcommand"));
  expect_refused(run_gradus("train"), HasSubstr("name"));
  expect_refused(run_gradus("train neuron"), HasSubstr("nothing to train"));
  expect_refused(run_gradus("train feedforward"), HasSubstr("nothing to train"));
  expect_refused(run_gradus("graph neuron --what training"), HasSubstr("nothing to train"));
}

TEST_F(Cli, RefusesAnUnknownInstructionSet) {
  expect_refused(run_gradus("train height-weight --epochs 1", "GRADUS_ISA=mmx"),
                 HasSubstr("GRADUS_ISA is 'mmx'; it must be one of baseline, avx2 and avx512"));
}

TEST_F(Cli, RefusesBadNumbers) {
  expect_refused(run_gradus("train sine --batch 0"), AllOf(HasSubstr("batch is 0"), HasSubstr("(--batch)")));
  expect_refused(run_gradus("train sine --epochs -3"),
                 AllOf(HasSubstr("epochs is -3"), HasSubstr("(--epochs)")));
  expect_refused(run_gradus("train sine --epochs 0"),
                 AllOf(HasSubstr("epochs is 0"), HasSubstr("(--epochs)")));
  expect_refused(run_gradus("train sine --rate nan"), AllOf(HasSubstr("rate is nan"), HasSubstr("(--rate)")));
  expect_refused(run_gradus("train sine --rate -1"), AllOf(HasSubstr("rate is -1"), HasSubstr("(--rate)")));
  expect_refused(run_gradus("train sine --rate inf"), AllOf(HasSubstr("rate is inf"), HasSubstr("(--rate)")));
  expect_refused(run_gradus("train sine --epochs many"), HasSubstr("many"));
  expect_refused(run_gradus("train sine --seed -1"), HasSubstr("-1"));
  expect_refused(run_gradus("train bp-network --init-scale nan"), HasSubstr("nan"));
  expect_refused(run_gradus("train sine --precision half"), HasSubstr("half"));
  expect_refused(run_gradus("graph sine --what everything"), HasSubstr("everything"));
  expect_refused(run_gradus("graph sine --format png"), HasSubstr("png"));
}

TEST_F(Cli, RefusesMissingData) {
  expect_refused(run_gradus("train mnist", nowhere), AllOf(HasSubstr("not found"), HasSubstr("--data")));
  expect_refused(run_gradus("train mnist --data /nonexistent"), HasSubstr("/nonexistent"));
  expect_refused(run_gradus("tutorials --data /nonexistent --json " + file("rows.json")),
                 HasSubstr("/nonexistent"));
  EXPECT_FALSE(fs::exists(file("rows.json")));
}

// An IDX file with these sizes, which may promise more than it holds.
void write_idx(const std::string& path, std::uint8_t rank, const std::vector<std::uint32_t>& extents,
               std::size_t bytes, std::uint8_t type = 8) {
  std::string text{'\0', '\0', static_cast<char>(type), static_cast<char>(rank)};
  for (const std::uint32_t extent : extents)
    for (const unsigned shift : {24U, 16U, 8U, 0U}) text += static_cast<char>(extent >> shift & 0xFFU);
  text.append(bytes, '\1');
  std::ofstream(path, std::ios::binary) << text;
}

TEST_F(Cli, RefusesBrokenData) {
  const auto good = [&] {
    write_idx(file("train-images-idx3-ubyte"), 3, {2, 28, 28}, 2 * 784);
    write_idx(file("train-labels-idx1-ubyte"), 1, {2}, 2);
    write_idx(file("t10k-images-idx3-ubyte"), 3, {2, 28, 28}, 2 * 784);
    write_idx(file("t10k-labels-idx1-ubyte"), 1, {2}, 2);
  };
  const auto train = [&] { return run_gradus("train mnist --epochs 1 --data " + folder_.string()); };
  good();
  write_idx(file("train-images-idx3-ubyte"), 3, {2, 28, 28}, 700);
  expect_refused(train(), HasSubstr("train-images-idx3-ubyte"));
  good();
  write_idx(file("train-images-idx3-ubyte"), 3, {2, 28, 28}, 2 * 784, 13);
  expect_refused(train(), HasSubstr("train-images-idx3-ubyte"));
  good();
  std::ofstream(file("train-labels-idx1-ubyte"), std::ios::binary) << "garbage that is no IDX file";
  expect_refused(train(), AllOf(HasSubstr("train-labels-idx1-ubyte"), HasSubstr("magic")));
  good();
  write_idx(file("train-labels-idx1-ubyte"), 1, {3}, 3);
  expect_refused(train(), AllOf(HasSubstr("2"), HasSubstr("3")));
  good();
  fs::copy_file(file("train-images-idx3-ubyte"), file("train-labels-idx1-ubyte"),
                fs::copy_options::overwrite_existing);
  expect_refused(train(), HasSubstr("train-labels-idx1-ubyte"));
  good();
  fs::remove(file("t10k-labels-idx1-ubyte"));
  expect_refused(train(), HasSubstr("t10k-labels"));
}

TEST_F(Cli, WritesNothingWhereItCannot) {
  const Ran missing = run_gradus("tutorials --json " + file("no/such/folder.json"), nowhere);
  expect_refused(missing, HasSubstr("folder.json: cannot be written"));
  fs::create_directory(file("taken"));
  expect_refused(run_gradus("tutorials --json " + file("taken"), nowhere), HasSubstr("cannot be written"));
  std::size_t left = 0;
  for ([[maybe_unused]] const auto& entry : fs::recursive_directory_iterator(folder_)) ++left;
  EXPECT_EQ(left, 1U);  // the folder itself
}

}  // namespace
}  // namespace gradus
