#include "heliograd/app/run_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "heliograd/base/file.h"
#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

PlanFile Example() {
  const DispatchProblem problem = RichProblem();
  return {problem, RichPlan(problem), TimeZone::Fixed(std::chrono::hours(1)), {}};
}

class RunFolder : public testing::Test {
 protected:
  RunFolder() : path_(testing::TempDir() + "/journal-" + std::to_string(getpid())) { std::filesystem::remove(path_); }
  ~RunFolder() override { std::filesystem::remove(path_); }

  Result<ReadJournal> Read() const {
    return ParseJournal(*ReadFile(path_), "journal", plan_.problem.horizon.slots, plan_.problem.gpu.levels.size());
  }

  SlotActual Books(double work) const {
    SlotActual books;
    books.level_s.assign(plan_.problem.gpu.levels.size(), 1.5);
    books.off_s = 7;
    books.energy = WattHours(123.25);
    books.energy_off = WattHours(3.5);
    books.level_energy.assign(plan_.problem.gpu.levels.size(), WattHours(2.25));
    books.unmeasured_s = 2;
    books.work = work;
    books.entered = true;
    return books;
  }

  void WriteSome() const {
    const auto journal = RunJournal::Open(path_, plan_);
    ASSERT_TRUE(journal);
    RunState state;
    state.at = plan_.problem.horizon.start + std::chrono::minutes(90);
    state.slot = 1;
    state.work_done = 0.125;
    state.units_done = 1250;
    state.counter_uj = 123456789012345;
    (*journal)->OnEvent({state.at, "start", "begins", {}, {}, false});
    (*journal)->OnSlotEnd(0, Books(0.1));
    (*journal)->OnState(state, Books(0.025));
  }

  PlanFile plan_ = Example();
  std::string path_;
};

TEST(RunFolderLock, IsHadOnceAndNamesWhoHasIt) {
  const std::string folder = testing::TempDir() + "/locked-" + std::to_string(getpid());
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(std::filesystem::create_directory(folder));
  EXPECT_FALSE(RunFolderLock::Take(folder, false));  // there is no journal, and none is made
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  RunFacts facts;
  facts.command = {"true"};
  facts.process = 4711;
  ASSERT_TRUE(WriteFile(folder + "/run.json", RunFactsToJson(facts)));
  {
    const Result<RunFolderLock> lock = RunFolderLock::Take(folder, true);
    ASSERT_TRUE(lock) << lock.error().Message();
    const Result<RunFolderLock> second = RunFolderLock::Take(folder, false);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::kUsage);
    EXPECT_NE(second.error().Message().find("process 4711"), std::string::npos) << second.error().Message();
  }
  EXPECT_TRUE(RunFolderLock::Take(folder, false));
  std::filesystem::remove_all(folder);
}

TEST_F(RunFolder, JournalGivesTheBooksBack) {
  WriteSome();
  const auto read = Read();
  ASSERT_TRUE(read) << read.error().Message();
  EXPECT_FALSE(read->has_ended);
  EXPECT_EQ(read->left_over.work_done, 0.125);
  EXPECT_EQ(read->left_over.units_done, 1250);
  EXPECT_EQ(read->left_over.counter_uj, 123456789012345);
  EXPECT_EQ(read->left_over.at, plan_.problem.horizon.start + std::chrono::minutes(90));
  EXPECT_EQ(read->left_over.slots[0].work, 0.1);
  EXPECT_NEAR(InWattHours(read->left_over.slots[1].energy), 123.25, 1e-9);
  EXPECT_EQ(read->left_over.slots[1].level_s, std::vector<double>(plan_.problem.gpu.levels.size(), 1.5));
  EXPECT_EQ(read->left_over.slots[1].level_energy,
            std::vector<Energy>(plan_.problem.gpu.levels.size(), WattHours(2.25)));
  EXPECT_EQ(read->left_over.slots.size(), static_cast<size_t>(plan_.problem.horizon.slots) + 1);
}

// A kill at any byte leaves a journal that reads, and that a later part of the run is added to.
TEST_F(RunFolder, CutOffAnywhereItReadsAndGoesOn) {
  WriteSome();
  const std::string whole = *ReadFile(path_);
  for (size_t size = 0; size <= whole.size(); size += 7) {
    ASSERT_TRUE(WriteFile(path_, std::string_view(whole).substr(0, size)));
    ASSERT_TRUE(Read()) << size;
    const auto journal = RunJournal::Open(path_, plan_);
    ASSERT_TRUE(journal);
    (*journal)->OnEvent({plan_.problem.horizon.start, "resumed_run", "goes on", {}, {}, false});
    const auto read = Read();
    ASSERT_TRUE(read) << size << ": " << read.error().Message();
    EXPECT_EQ(read->resumes, 1);
  }
}

TEST_F(RunFolder, LineThatIsNoneIsLeftOutAndNamed) {
  WriteSome();
  EXPECT_EQ(Read()->left_out, "");
  const std::string whole = *ReadFile(path_);
  const size_t second = whole.find('\n') + 1;
  ASSERT_TRUE(WriteFile(path_, whole.substr(0, second) + "what is this\n" + whole.substr(second)));
  const auto read = Read();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->left_out, "journal:2: is no line of a journal: 'what is this': it is left out");
  EXPECT_EQ(read->left_over.work_done, 0.125);  // all else counts
  const std::string resumed = R"({"kind":"resumed_run","unix_s":1735758000})";
  const auto two = ParseJournal("one\n" + resumed + "\ntwo\n", "journal", 24, 3);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->left_out, "journal:1: is no line of a journal: 'one': it and 1 more such line are left out");
}

TEST_F(RunFolder, WhatIsNoJournalIsNamedWithItsLine) {
  for (const auto& [text, words] : {std::pair{"{\"kind\":\"state\",\"unix_s\":1}\n", "journal:1: no \"slot\""},
                                    {"{\"kind\":\"state\",\"unix_s\":1,\"slot\":99}\n", "no \"slot\""},
                                    {"{\"kind\":\"state\",\"unix_s\":1,\"slot\":1}\n", "no \"books\""},
                                    {"{\"what\":1}\n", "no \"kind\""},
                                    {"text\nmore\n", "journal:1: is no line"}}) {
    const auto read = ParseJournal(text, "journal", 24, 3);
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().Message().find(words), std::string::npos) << read.error().Message();
  }
}

TEST(RunFacts, ComeBackAsTheyWere) {
  RunFacts facts = {
      {"python", "train \"x\".py"}, "GPU-1", "A card", "step ([0-9]+)", 46900, true, 1735758000000001, "boot"};
  const auto read = RunFactsFromJson(RunFactsToJson(facts), "run.json");
  ASSERT_TRUE(read) << read.error().Message();
  EXPECT_EQ(*read, facts);
  facts.curve = CurvePart{Stamp(std::chrono::seconds(1735758000)),
                          Stamp(std::chrono::seconds(1735758300)),
                          299.5,
                          2500,
                          0.005,
                          12,
                          Joules(51234.5),
                          0.25,
                          Euros(0.004),
                          "/state/curve.toml"};
  facts.pending_scenario = {"my.toml", "--deadline", "2025-01-02T07:00:00Z"};
  facts.units_planned = 44400;
  const auto with_curve = RunFactsFromJson(RunFactsToJson(facts), "run.json");
  ASSERT_TRUE(with_curve) << with_curve.error().Message();
  EXPECT_EQ(*with_curve, facts);
  std::string broken = RunFactsToJson(facts);
  broken.replace(broken.find("\"duration_s\""), 12, "\"duration\"");
  EXPECT_FALSE(RunFactsFromJson(broken, "run.json"));
  EXPECT_FALSE(RunFactsFromJson("{}", "run.json"));
  EXPECT_FALSE(RunFactsFromJson("[", "run.json"));
}

}  // namespace
}  // namespace heliograd
