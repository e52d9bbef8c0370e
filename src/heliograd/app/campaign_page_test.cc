#include "heliograd/app/campaign_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "heliograd/app/campaign_sweep.h"
#include "heliograd/app/profile_json.h"
#include "heliograd/base/file.h"

namespace heliograd {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string FreshFolder(const std::string& name) {
  const std::string folder = ::testing::TempDir() + "campaign_page_" + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

/// Two images an iteration of one second.
TrainingProfile ProfileOf(double joules, double half_j, const std::string& refusal = "") {
  TrainingProfile profile;
  profile.power_source = PowerSource::kSimulated;
  profile.batch = 2;
  profile.iterations = 5;
  profile.iteration = Seconds(1);
  profile.iteration_energy = ProfiledEnergy{Joules(joules), Joules(joules - half_j), Joules(joules + half_j)};
  profile.refusal = refusal;
  ProfiledStep step;
  step.name = "Forward";
  step.duration = Seconds(1);
  step.energy = profile.iteration_energy;
  profile.steps = {step};
  return profile;
}

FinishedCell CellOf(const std::string& network, const TrainingProfile& profile) {
  FinishedCell cell;
  cell.cell.network = network;
  cell.cell.data = "synthetic";
  cell.hardware = "two cores";
  cell.ok = true;
  cell.json = ProfileToJson(profile);
  return cell;
}

FinishedCell SweepCell(double limit_w, int64_t round, const TrainingProfile& profile) {
  FinishedCell cell = CellOf("resnet18", profile);
  cell.cell.limit_w = limit_w;
  cell.cell.round = round;
  return cell;
}

FinishedCell FailedCell(const std::string& network, const std::string& error) {
  FinishedCell cell = CellOf(network, {});
  cell.ok = false;
  cell.json.clear();
  cell.error = error;
  return cell;
}

TEST(CampaignSweep, OneGoodRoundTellsOfItsLimit) {
  const std::vector<SweepReport> reports =
      ReportSweeps({SweepCell(150, 1, ProfileOf(70, 5, "aliased, add sleep")), SweepCell(320, 1, ProfileOf(175, 9)),
                    SweepCell(320, 2, ProfileOf(-29734, 8000)), SweepCell(150, 2, ProfileOf(69.5, 3.7))});
  ASSERT_THAT(reports, SizeIs(1));
  const SweepReport& report = reports.front();
  EXPECT_THAT(report.why_no_curve, IsEmpty());
  EXPECT_THAT(report.curve_toml,
              AllOf(HasSubstr("energy_j_per_unit = 69.5\n"), HasSubstr("energy_j_per_unit = 175\n")));
  EXPECT_THAT(report.notes,
              ElementsAre(HasSubstr("at 150 W 1 of 2 trainings has no energy and is left out (round 1: aliased"),
                          HasSubstr("at 320 W 1 of 2 trainings has no energy and is left out (round 2: ")));
  ASSERT_THAT(report.rows, SizeIs(2));
  EXPECT_EQ(report.rows[0][4], "69.5");
  EXPECT_EQ(report.rows[0][5], "3.7");
  EXPECT_EQ(report.rows[0][7], "1");
}

TEST(CampaignSweep, OneLimitWithAnEnergyMakesNoCurveAndThatIsSaid) {
  const std::vector<SweepReport> reports =
      ReportSweeps({SweepCell(150, 1, ProfileOf(70, 500)), SweepCell(320, 1, ProfileOf(175, 9))});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_THAT(reports.front().curve_toml, IsEmpty());
  EXPECT_THAT(reports.front().why_no_curve, HasSubstr("1 of 2 limits has an energy"));
  EXPECT_THAT(reports.front().notes, ElementsAre(HasSubstr("at 150 W 1 of 1 trainings has no energy")));
  EXPECT_EQ(reports.front().rows[0][4], "-");
  EXPECT_EQ(reports.front().rows[0][1], "1");  // its time is known
}

TEST(CampaignPage, SaysOnThePageAndInANoteWhyThereIsNoCurve) {
  const std::string folder = FreshFolder("no_curve");
  const std::vector<FinishedCell> cells = {SweepCell(150, 1, ProfileOf(70, 500)), SweepCell(320, 1, ProfileOf(175, 9))};
  const auto page = WriteCampaignPage(cells, folder);
  ASSERT_TRUE(page) << page.error().Message();
  ASSERT_THAT(page->notes, SizeIs(1));
  EXPECT_THAT(page->notes.front(),
              AllOf(HasSubstr("there is no curve_1.toml"), HasSubstr("1 of 2 limits"), Not(HasSubstr("from before"))));
  EXPECT_THAT(ReadFile(folder + "/index.html").value(), HasSubstr(page->notes.front()));
  ASSERT_TRUE(WriteFile(folder + "/curve_1.toml", "one of before"));
  const auto again = WriteCampaignPage(cells, folder);
  ASSERT_TRUE(again);
  EXPECT_THAT(again->notes.front(), HasSubstr("the one in the folder is from before"));
}

TEST(CampaignPage, ListsWhatHasNoEnergyAndWhatFailedUntilItIsMeasured) {
  const std::string folder = FreshFolder("lists");
  const auto first = WriteCampaignPage({CellOf("alexnet", ProfileOf(200, 10, "only 14 readings")),
                                        CellOf("vgg11", ProfileOf(200, 10)), FailedCell("resnet18", "no memory")},
                                       folder);
  ASSERT_TRUE(first) << first.error().Message();
  const std::string page = ReadFile(folder + "/index.html").value();
  EXPECT_THAT(page, AllOf(HasSubstr("What has no energy"), HasSubstr("only 14 readings"), HasSubstr("What failed")));
  EXPECT_EQ(ReadFile(folder + "/no_energy.csv").value(),
            "network,data,hardware,limit W,round,why\nalexnet,synthetic,two cores,,,only 14 readings\n");
  EXPECT_THAT(ReadFile(folder + "/failed.csv").value(), HasSubstr("resnet18,synthetic,two cores,,,no memory"));
  const auto second = WriteCampaignPage({CellOf("alexnet", ProfileOf(200, 10))}, folder);
  ASSERT_TRUE(second);
  EXPECT_THAT(ReadFile(folder + "/index.html").value(),
              AllOf(Not(HasSubstr("What has no energy")), Not(HasSubstr("What failed"))));
  EXPECT_FALSE(std::filesystem::exists(folder + "/no_energy.csv"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/failed.csv"));
}

TEST(CampaignPage, TableOneHasAnIntervalBesideEachEnergyAndNoEnergyThatTellsNothing) {
  const std::string folder = FreshFolder("table");
  const auto page =
      WriteCampaignPage({CellOf("alexnet", ProfileOf(200, 10)), CellOf("googlenet_mod9", ProfileOf(45.82, 4974)),
                         CellOf("own", ProfileOf(30, 30))},
                        folder);
  ASSERT_TRUE(page) << page.error().Message();
  const std::string table = ReadFile(folder + "/table1.csv").value();
  EXPECT_THAT(table, HasSubstr(",J per image,half-width J per image,\"study F,H1\""));
  // Of an image, of which an iteration has two.
  EXPECT_THAT(table, HasSubstr(",100,5,99451,53119,115131,214768,\n"));
  EXPECT_THAT(table,
              HasSubstr(",-,-,58156,68584,98535,188343,45.82 J an iteration with an interval of -4928 to 5020 J"));
  EXPECT_THAT(table, HasSubstr(",15,15,,,,,\n"));
  const std::string html = ReadFile(folder + "/index.html").value();
  EXPECT_THAT(html, AllOf(HasSubstr("+-5.0 %"), HasSubstr("+-100.0 %"), Not(HasSubstr("22.91"))));
}

TEST(CampaignPage, LeavesAListThatIsNotItsOwn) {
  const std::string folder = FreshFolder("foreign");
  ASSERT_TRUE(WriteFile(folder + "/failed.csv", "my own notes\n"));
  ASSERT_TRUE(WriteCampaignPage({CellOf("alexnet", ProfileOf(200, 10))}, folder));
  EXPECT_EQ(ReadFile(folder + "/failed.csv").value(), "my own notes\n");
}

}  // namespace
}  // namespace heliograd
