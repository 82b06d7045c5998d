// `gradus train NAME --out DIR` leaves pictures behind, and a report that explains itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "gradus/base/error.hpp"
#include "models/app/plot/draw.hpp"
#include "models/app/plot/external.hpp"
#include "models/app/report/report_html.hpp"
#include "models/tutorials/mnist_pictures.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/program.hpp"
#include "tests/support/well_formed.hpp"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using test::contents;
using test::Ran;
using test::run_gradus;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::set<std::string> void_elements{"meta", "img", "br", "link"};

class Report : public test::FolderTest {
 protected:
  // Trains, and wants these pictures and no other.
  std::string train(const std::string& arguments, const std::set<std::string>& pictures) {
    const Ran ran = run_gradus("train " + arguments + " --out " + (folder_ / "run").string());
    EXPECT_EQ(ran.status, 0) << ran.output;
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_ / "run")) {
      if (entry.path().extension() == ".svg") {
        found.insert(entry.path().stem().string());
        const std::string svg = contents(entry.path());
        EXPECT_THAT(svg, HasSubstr("</svg>"));
        EXPECT_EQ(flaw_in_markup(svg), "") << entry.path();
        EXPECT_TRUE(fs::exists(fs::path(entry.path()).replace_extension(".png"))) << entry.path();
      } else if (entry.path().extension() == ".png") {
        EXPECT_EQ(contents(entry.path()).substr(0, 8), "\x89PNG\r\n\x1a\n") << entry.path();
      } else {
        EXPECT_EQ(entry.path().filename(), "report.html");
      }
    }
    EXPECT_EQ(found, pictures);
    const std::string html = contents(folder_ / "run" / "report.html");
    EXPECT_EQ(flaw_in_markup(html, void_elements), "");
    EXPECT_THAT(html, AllOf(HasSubstr("<!DOCTYPE html>"), Not(HasSubstr("<script")), Not(HasSubstr("http:")),
                            Not(HasSubstr("https:"))));
    // Every figure that was printed is in it.
    std::smatch match;
    if (std::regex_search(ran.output, match, std::regex("([^\n]+): ([^\n]+)\nwrote "))) {
      EXPECT_THAT(html, HasSubstr("<td>" + match[2].str() + "</td>"));
    }
    std::size_t images = 0;
    for (std::size_t at = html.find("<img alt"); at != std::string::npos; at = html.find("<img alt", at + 1))
      ++images;
    EXPECT_EQ(images, pictures.size());
    return ran.output;
  }

  void need_drawing_programs() {
    if (!can_draw_charts() || !can_draw_graphs()) GTEST_SKIP() << "gnuplot or graphviz is not installed";
  }

  std::string picture(const std::string& name) const { return contents(folder_ / "run" / (name + ".svg")); }
};

TEST_F(Report, OfHeightWeightHasEmilyAndFrankOnTheirSides) {
  need_drawing_programs();
  if (IsSkipped()) return;
  train("height-weight", {"decision", "graph", "loss"});
  const std::string decision = picture("decision");
  std::smatch emily, frank;
  ASSERT_TRUE(std::regex_search(decision, emily, std::regex("Emily (0\\.[0-9]+)")));
  ASSERT_TRUE(std::regex_search(decision, frank, std::regex("Frank (0\\.[0-9]+)")));
  EXPECT_GT(std::stod(emily[1]), 0.9);
  EXPECT_LT(std::stod(frank[1]), 0.1);
  EXPECT_THAT(decision, AllOf(HasSubstr("weight (lb)"), HasSubstr("height (in)")));
}

TEST_F(Report, OfSineStatesTheLargestDeviationInThePicture) {
  need_drawing_programs();
  if (IsSkipped()) return;
  const std::string printed = train("sine --epochs 300", {"fit", "fit-course", "graph", "loss"});
  std::smatch match;
  ASSERT_TRUE(std::regex_search(printed, match, std::regex("largest deviation of the fit: [0-9.]+")));
  EXPECT_THAT(picture("fit"), HasSubstr(match[0].str()));
  EXPECT_THAT(picture("fit-course"), AllOf(HasSubstr("after 0 epochs"), HasSubstr("after 300 epochs")));
}

TEST_F(Report, OfTwoTargetsComparesTheSlips) {
  need_drawing_programs();
  if (IsSkipped()) return;
  train("two-targets --epochs 200", {"graph", "loss", "slips", "slips-cost"});
}

TEST_F(Report, OfExamScoreAndBpNetworkAreMaps) {
  need_drawing_programs();
  if (IsSkipped()) return;
  train("exam-score --epochs 50", {"graph", "loss", "score"});
  EXPECT_THAT(picture("score"), AllOf(HasSubstr("studied (hours)"), HasSubstr("slept (hours)")));
  fs::remove_all(folder_ / "run");
  train("bp-network --epochs 50", {"decision", "graph", "loss"});
}

TEST_F(Report, OfOnesOwnTable) {
  need_drawing_programs();
  if (IsSkipped()) return;
  {
    std::ofstream csv(folder_ / "a&b.csv");
    csv << "size,kind<\n";
    for (int i = 0; i < 40; ++i) csv << i << (i < 20 ? ",small & \"light\"" : ",big") << "\n";
  }
  train("mlp --csv '" + (folder_ / "a&b.csv").string() + "' --target 'kind<' --epochs 3",
        {"accuracy", "confusion", "graph", "loss"});
  EXPECT_THAT(picture("confusion"), HasSubstr("kind&lt;"));
}

TEST_F(Report, OfARegressionShowsPredictedOverTrue) {
  need_drawing_programs();
  if (IsSkipped()) return;
  {
    std::ofstream csv(folder_ / "t.csv");
    csv << "x,y\n";
    for (int i = 0; i < 40; ++i) csv << i << "," << 3 * i + 1 << "\n";
  }
  train("mlp --csv " + (folder_ / "t.csv").string() + " --target y --epochs 3",
        {"graph", "loss", "mean_absolute_error", "predicted"});
}

TEST_F(Report, IsThereThoughAFileIsInTheWayOfAPicture) {
  need_drawing_programs();
  if (IsSkipped()) return;
  fs::create_directories(folder_ / "run" / "loss.svg");
  const Ran ran = run_gradus("train exam-score --epochs 5 --out " + (folder_ / "run").string());
  EXPECT_NE(ran.status, 0);
  EXPECT_THAT(ran.output, HasSubstr("loss.svg: cannot be written: Is a directory"));
  EXPECT_THAT(contents(folder_ / "run" / "report.html"), HasSubstr("</html>"));
}

// The programs that draw are looked for in $PATH.
TEST_F(Report, WithoutGnuplotSaysWhatIsLeftOutAndHowToGetIt) {
  const Ran ran =
      run_gradus("train sine --epochs 5 --out " + (folder_ / "run").string(), "PATH=/nonexistent");
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.output, AllOf(HasSubstr("left out fit.svg, fit.png, fit-course.svg"),
                                HasSubstr("apt install gnuplot-nox"), HasSubstr("left out graph.svg"),
                                HasSubstr("apt install graphviz"), HasSubstr("0 pictures")));
  const std::string html = contents(folder_ / "run" / "report.html");
  EXPECT_THAT(html, AllOf(HasSubstr("apt install gnuplot-nox"), HasSubstr("apt install graphviz")));
  EXPECT_EQ(flaw_in_markup(html, void_elements), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "run"), fs::directory_iterator()), 1);
  const Ran graph = run_gradus("graph sine --format svg", "PATH=/nonexistent");
  EXPECT_NE(graph.status, 0);
  EXPECT_THAT(graph.output, AllOf(HasSubstr("apt install graphviz"), HasSubstr("--format dot")));
}

TEST_F(Report, IsRefusedBeforeTheTrainingWhereItCannotBeWritten) {
  const auto refused = [](const std::string& out, const std::string& message) {
    const Ran ran = run_gradus("train sine --epochs 5 --out '" + out + "'");
    EXPECT_NE(ran.status, 0);
    EXPECT_THAT(ran.output, AllOf(HasSubstr(message), HasSubstr(out), Not(HasSubstr("Step"))));
  };
  refused("/proc/gradus/run", "the folder cannot be made");
  std::ofstream(folder_ / "taken") << "mine";
  refused((folder_ / "taken").string(), "there is a file of this name");
  EXPECT_EQ(contents(folder_ / "taken"), "mine");
  refused((folder_ / "taken" / "within").string(), "the folder cannot be made");
  fs::create_directories(folder_ / "run" / "report.html");
  refused((folder_ / "run").string(), "report.html: cannot be written");
  if (geteuid() == 0) return;  // who may write everywhere
  fs::create_directory(folder_ / "locked");
  fs::permissions(folder_ / "locked", fs::perms::owner_read | fs::perms::owner_exec);
  refused((folder_ / "locked").string(), "cannot be written");
}

TEST_F(Report, ReplacesThatOfAnEarlierRun) {
  const std::string out = (folder_ / "run").string();
  run_gradus("train bp-network --epochs 5 --seed 1 --out " + out, "PATH=/nonexistent");
  const std::string first = contents(folder_ / "run" / "report.html");
  run_gradus("train bp-network --epochs 5 --seed 2 --out " + out, "PATH=/nonexistent");
  const std::string second = contents(folder_ / "run" / "report.html");
  EXPECT_THAT(first, HasSubstr("--seed 1"));
  EXPECT_THAT(second, AllOf(HasSubstr("--seed 2"), Not(HasSubstr("--seed 1"))));
}

TEST(ReportPage, EscapesEveryText) {
  const std::string nasty = "<b>\"x\" & 'y'</b>\x01";
  RunReport report;
  report.name = report.about = report.summary = report.command = report.history.stopped = nasty;
  report.data = report.settings = report.figures = {{nasty, nasty}};
  report.history.names = {nasty};
  report.history.epochs = {{0.25}, {NAN}};
  const std::string html = report_html(report, {{nasty, nasty, "<svg/>", true}}, {nasty}, {{nasty, nasty}});
  EXPECT_EQ(flaw_in_markup(html, void_elements), "");
  EXPECT_THAT(html,
              AllOf(Not(HasSubstr("<b>")), HasSubstr("&lt;b&gt;"), HasSubstr("PHN2Zy8+"), HasSubstr("0.25")));
  EXPECT_EQ(html.find('\x01'), std::string::npos);
}

TEST(ReportPage, WellFormednessIsReallyChecked) {
  EXPECT_EQ(flaw_in_markup("<a b=\"c\">d &amp; e<f/></a>"), "");
  for (const char* broken :
       {"<a>", "<a></b>", "<a>&</a>", "<a b=c></a>", "<a b=\"1\" b=\"2\"/>", "<a", "a < b", "<a>&x</a>"})
    EXPECT_NE(flaw_in_markup(broken), "") << broken;
}

TEST(Drawing, TakesTextsAsTheyAre) {
  if (!can_draw_charts()) GTEST_SKIP() << "gnuplot is not installed";
  const Picture picture{"p", "it's <a> & \"val_loss\" {x} \\n `date` @y", "",
                        Chart{{"x_1 'y'"}, {"y^2"}, {{"a_b", {0, 1}, {1, 2}}, {"c", {0, 1}, {2, NAN}}}}};
  const std::string svg = drawn_by_gnuplot(picture, ImageFormat::svg);
  EXPECT_EQ(flaw_in_markup(svg), "");
  EXPECT_THAT(svg, AllOf(HasSubstr("it’s &lt;a> &amp; \"val_loss\" {x} \\n `date` @y"), HasSubstr("x_1 ’y’"),
                         HasSubstr("y^2"), HasSubstr("a_b")));
}

TEST(Drawing, ALineHasColourDashAndMarkOfItsOwn) {
  Chart chart{{"x"}, {"y"}, {}};
  for (int i = 0; i < 5; ++i)
    chart.series.push_back({std::to_string(i), {0, 1}, {0, 1.0 * i}, Series::Style::both});
  const std::string script = gnuplot_script({"p", "t", "", chart}, ImageFormat::svg);
  std::set<std::string> colours, dashes, marks;
  const std::regex style("set style line [1-5] lc rgb '(#[0-9A-F]{6})' dt (\\S+) lw [0-9.]+ pt (\\d+)");
  for (std::sregex_iterator at(script.begin(), script.end(), style), end; at != end; ++at) {
    colours.insert((*at)[1]);
    dashes.insert((*at)[2]);
    marks.insert((*at)[3]);
  }
  EXPECT_EQ(colours.size(), 5U);
  EXPECT_EQ(dashes.size(), 5U);
  EXPECT_EQ(marks.size(), 5U);
  for (int i = 1; i <= 5; ++i) EXPECT_THAT(script, HasSubstr("linespoints ls " + std::to_string(i)));
}

TEST(MnistPictures, CountAnswersAndShowTheSurestMistakeFirst) {
  Digits digits;
  digits.count = 3;
  digits.labels = {3, 4, 5};
  digits.pixels.assign(3 * 784, 0);
  digits.pixels[784] = 255;  // the second image's first pixel
  std::vector<double> logits(30, 0);
  logits[3] = 5;        // right
  logits[10 + 9] = 50;  // 4 for 9, for sure
  logits[20 + 6] = 1;   // 5 for 6, hardly
  std::vector<double> weights(784 * 2, 0);
  weights[2 * 783 + 1] = 0.5;  // the second unit's last weight
  const auto pictures = mnist_pictures(digits, logits, weights);
  ASSERT_EQ(pictures.size(), 3U);
  const auto& confusion = std::get<Confusion>(pictures[0].content);
  EXPECT_EQ(confusion.counts[3 * 10 + 3], 1);
  EXPECT_EQ(confusion.counts[4 * 10 + 9], 1);
  EXPECT_EQ(confusion.counts[5 * 10 + 6], 1);
  const auto& mistakes = std::get<Tiles>(pictures[1].content);
  // e / (e + 9) = 0.2319…
  EXPECT_THAT(mistakes.texts, testing::ElementsAre("4 as 9: 100.00 %", "5 as 6: 23.19 %"));
  EXPECT_EQ(mistakes.images[0][0], 255);
  const auto& layer = std::get<Tiles>(pictures[2].content);
  ASSERT_EQ(layer.images.size(), 2U);
  EXPECT_EQ(layer.images[1][783], 0.5);
  EXPECT_EQ(layer.images[0][783], 0);
}

TEST(External, TakesAndGivesMoreThanAPipeHolds) {
  const auto cat = find_program("cat");
  ASSERT_TRUE(cat);
  const std::string much(5'000'000, 'x');
  const Answer answer = run_program(*cat, {}, much);
  EXPECT_EQ(answer.status, 0);
  EXPECT_TRUE(answer.output == much);
}

TEST(External, OutlivesAProgramThatDoesNotRead) {
  const Answer answer = run_program(find_program("false").value(), {}, std::string(5'000'000, 'x'));
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(find_program("no-such-program-anywhere"), std::nullopt);
  EXPECT_THROW(run_program("/no/such/program", {}, ""), Error);
}

}  // namespace
}  // namespace gradus
