#include "heliograd/control/limitd_service.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <set>

namespace heliograd::limitd {
namespace {

constexpr int64_t kLowest = 100'000, kHighest = 320'000, kPrior = 300'000;

/// GPUs that remember who wrote what, and can be away.
class FakeHardware : public LimitHardware {
 public:
  struct Board {
    int64_t limit_mw = kPrior;
    bool leased = false;
    int writes = 0;
  };

  Result<std::vector<Gpu>> Gpus() override {
    if (away) return Gone();
    std::vector<Gpu> gpus;
    for (const auto& [uuid, board] : boards) gpus.push_back(Describe(uuid, board));
    return gpus;
  }
  Result<Gpu> Find(const std::string& uuid) override {
    if (away) return Gone();
    if (!boards.contains(uuid)) return Fail(uuid + ": no such GPU", ErrorKind::kDevice);
    return Describe(uuid, boards[uuid]);
  }
  Result<std::unique_ptr<HeldLimit>> Take(const std::string& uuid, pid_t, const std::string&,
                                          std::optional<Power> prior) override {
    if (away) return Gone();
    if (!boards.contains(uuid)) return Fail(uuid + ": no such GPU", ErrorKind::kDevice);
    EXPECT_FALSE(boards[uuid].leased);
    boards[uuid].leased = true;
    return std::make_unique<Held>(*this, boards[uuid], prior);
  }
  void Reopen() override { ++reopened; }

  std::map<std::string, Board> boards;
  bool away = false;
  int reopened = 0;

 private:
  class Held : public HeldLimit {
   public:
    Held(FakeHardware& hardware, Board& board, std::optional<Power> prior)
        : hardware_(hardware),
          board_(board),
          prior_mw_(prior ? std::llround(InWatts(*prior) * 1000) : board.limit_mw) {}
    Power Prior() const override { return Watts(static_cast<double>(prior_mw_) / 1000); }
    Result<void> Set(Power limit) override {
      if (hardware_.away) return Gone();
      const int64_t limit_mw = std::llround(InWatts(limit) * 1000);
      EXPECT_TRUE(board_.leased);
      EXPECT_GE(limit_mw, kLowest);
      EXPECT_LE(limit_mw, kHighest);
      board_.limit_mw = limit_mw;
      ++board_.writes;
      return {};
    }
    Result<Restored> Release() override { return ReleaseTo(Prior()); }
    Result<Restored> ReleaseTo(Power limit) override {
      if (hardware_.away) return Gone();
      board_.limit_mw = std::llround(InWatts(limit) * 1000);
      board_.leased = false;
      return Restored::kPutBack;
    }

   private:
    FakeHardware& hardware_;
    Board& board_;
    int64_t prior_mw_;
  };

  static Gpu Describe(const std::string& uuid, const Board& board) {
    return {uuid, "fake", {Watts(100), Watts(320), Watts(320)}, Watts(static_cast<double>(board.limit_mw) / 1000)};
  }
  static tl::unexpected<Error> Gone() { return Fail("GPU_IS_LOST", ErrorKind::kDevice); }
};

class LimitdServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* uuid : {"GPU-0", "GPU-1", "GPU-2"}) hardware_.boards[uuid] = {};
    for (int i = 1; i <= 3; ++i) service_.Connect(i, {100 + i, 1000u + static_cast<uid_t>(i), 1000});
  }
  std::string Ask(LimitService::Connection connection, const std::string& line) {
    std::string reply = service_.Handle(connection, line);
    EXPECT_EQ(reply.back(), '\n');
    reply.pop_back();
    return reply;
  }
  int64_t Limit(const std::string& uuid) { return hardware_.boards[uuid].limit_mw; }
  void Wait(std::chrono::milliseconds time) {
    clock_.SleepUntil(clock_.Now() + time);
    service_.Tick();
  }

  FakeHardware hardware_;
  ManualClock clock_{Stamp{}};
  std::vector<Change> audit_;
  LimitService service_{hardware_, clock_, {}, [this](const Change& change) { audit_.push_back(change); }};
};

TEST_F(LimitdServiceTest, LeaseIsTakenSetAndGivenBack) {
  EXPECT_EQ(Ask(1, "hello 1"), "ok 1 10000");
  EXPECT_EQ(Ask(1, "take GPU-0 train"), "ok 300000");
  EXPECT_EQ(Ask(1, "set GPU-0 200000"), "ok 200000 200000");
  EXPECT_EQ(Limit("GPU-0"), 200'000);
  EXPECT_EQ(Ask(1, "set GPU-0 1"), "ok 1 100000");
  EXPECT_EQ(Ask(1, "release GPU-0"), "ok put_back");
  EXPECT_EQ(Limit("GPU-0"), kPrior);
  ASSERT_EQ(audit_.size(), 3u);
  EXPECT_EQ(audit_[1].reason, "clamped");
  EXPECT_EQ(AuditLine(audit_[0], Stamp{}),
            "time=1970-01-01T00:00:00Z uid=1001 pid=101 gpu=GPU-0 from_w=300.000 to_w=200.000 reason=set "
            "command=\"train\"");
}

TEST_F(LimitdServiceTest, NobodyElseSetsAHeldLimit) {
  Ask(1, "take GPU-0 train");
  Ask(1, "set GPU-0 200000");
  EXPECT_EQ(Ask(2, "set GPU-0 150000").substr(0, 8), "error 4 ");
  EXPECT_EQ(Ask(2, "release GPU-0").substr(0, 8), "error 4 ");
  EXPECT_NE(Ask(2, "take GPU-0 other").find("held by process 101 (uid 1001: train)"), std::string::npos);
  EXPECT_EQ(Ask(4, "list"), "error 1 this connection is closed");
  service_.Disconnect(2);
  EXPECT_EQ(Limit("GPU-0"), 200'000);
  service_.Disconnect(1);
  EXPECT_EQ(Limit("GPU-0"), kPrior);
}

TEST_F(LimitdServiceTest, LostHeartbeatEndsTheLease) {
  Ask(1, "take GPU-0 train");
  Ask(1, "set GPU-0 200000");
  for (int i = 0; i < 5; ++i) {
    Wait(std::chrono::seconds(9));
    EXPECT_EQ(Ask(1, "beat GPU-0"), "ok");
  }
  Wait(std::chrono::milliseconds(9999));
  EXPECT_EQ(Limit("GPU-0"), 200'000);
  Wait(std::chrono::milliseconds(1));
  EXPECT_EQ(Limit("GPU-0"), kPrior);
  EXPECT_EQ(Ask(1, "beat GPU-0").substr(0, 8), "error 4 ");
}

class LimitdFailsafeTest : public LimitdServiceTest {
 protected:
  void SetUp() override {
    LimitdServiceTest::SetUp();
    for (int i = 1; i <= 3; ++i) safe_.Connect(i, {100 + i, 1000u, 1000});
    safe_.Connect(11, {101, 1000, 1000});  // the first one's second connection
    Say(1, "take GPU-0 train");
    Say(1, "set GPU-0 200000");
    LoseHeartbeat();
    EXPECT_EQ(Limit("GPU-0"), 120'000);
  }
  std::string Say(LimitService::Connection connection, const std::string& line) {
    std::string reply = safe_.Handle(connection, line);
    reply.pop_back();
    return reply;
  }
  void LoseHeartbeat() {
    clock_.SleepUntil(clock_.Now() + std::chrono::seconds(10));
    safe_.Tick();
  }

  LimitService safe_{
      hardware_, clock_, {.failsafe = Watts(120)}, [this](const Change& change) { audit_.push_back(change); }};
};

TEST_F(LimitdFailsafeTest, HolderThatComesAgainGivesBackTheLimitFromBeforeItsFirstLease) {
  EXPECT_EQ(Say(11, "take GPU-0 train"), "ok 300000");
  EXPECT_EQ(Limit("GPU-0"), 120'000);  // until it sets one
  EXPECT_EQ(Say(11, "set GPU-0 200000"), "ok 200000 200000");
  LoseHeartbeat();  // and again
  EXPECT_EQ(Limit("GPU-0"), 120'000);
  EXPECT_EQ(Say(1, "take GPU-0 train"), "ok 300000");
  EXPECT_EQ(Say(1, "release GPU-0"), "ok put_back");
  EXPECT_EQ(Limit("GPU-0"), kPrior);
  EXPECT_EQ(InWatts(audit_.back().from), 120);
  EXPECT_EQ(InWatts(audit_.back().to), 300);
}

TEST_F(LimitdFailsafeTest, OthersBeginAtTheFailsafeLimitAndTakeNothingFromWhoComesAgain) {
  EXPECT_EQ(Say(2, "take GPU-0 other"), "ok 120000");
  Say(2, "set GPU-0 250000");
  LoseHeartbeat();
  EXPECT_EQ(Say(3, "take GPU-0 third"), "ok 120000");
  Say(3, "set GPU-0 250000");
  safe_.Disconnect(3);
  EXPECT_EQ(Limit("GPU-0"), 120'000);
  EXPECT_EQ(Say(1, "take GPU-0 train"), "ok 300000");
}

TEST_F(LimitdFailsafeTest, LimitThatSomeoneChoseSinceIsTheOneThatComesBack) {
  hardware_.boards["GPU-0"].limit_mw = 150'000;
  EXPECT_EQ(Say(1, "take GPU-0 train"), "ok 150000");
  Say(1, "set GPU-0 200000");
  Say(1, "release GPU-0");
  EXPECT_EQ(Limit("GPU-0"), 150'000);
}

TEST_F(LimitdFailsafeTest, WhatWasGivenBackIsForgotten) {
  Say(1, "take GPU-0 train");
  Say(1, "release GPU-0");
  EXPECT_EQ(Limit("GPU-0"), kPrior);
  hardware_.boards["GPU-0"].limit_mw = 120'000;  // chosen by someone, like the failsafe limit
  EXPECT_EQ(Say(1, "take GPU-0 train"), "ok 120000");
}

TEST_F(LimitdServiceTest, MalformedLinesAreNoHeartbeat) {
  Ask(1, "take GPU-0 train");
  Ask(1, "set GPU-0 200000");
  Wait(std::chrono::seconds(6));
  Ask(1, "set GPU-0 many");
  Wait(std::chrono::seconds(6));
  EXPECT_EQ(Limit("GPU-0"), kPrior);
}

TEST_F(LimitdServiceTest, GpuThatIsAwayIsAskedAgainUntilItsLimitIsBack) {
  Ask(1, "take GPU-0 train");
  Ask(1, "set GPU-0 200000");
  hardware_.away = true;
  service_.Disconnect(1);
  EXPECT_NE(Ask(2, "take GPU-0 other").find("is being put back"), std::string::npos);
  EXPECT_NE(Ask(2, "show").find(" restoring "), std::string::npos);
  for (int i = 0; i < 5; ++i) Wait(std::chrono::seconds(1));
  EXPECT_EQ(Limit("GPU-0"), 200'000);
  EXPECT_GE(hardware_.reopened, 5);
  EXPECT_FALSE(service_.ReleaseAll());
  hardware_.away = false;
  Wait(std::chrono::seconds(1));
  EXPECT_EQ(Limit("GPU-0"), kPrior);
  EXPECT_EQ(service_.leases(), 0u);
}

TEST_F(LimitdServiceTest, EndOfTheServicePutsEveryLimitBack) {
  Ask(1, "take GPU-0 a");
  Ask(1, "set GPU-0 200000");
  Ask(2, "take GPU-1 b");
  Ask(2, "set GPU-1 210000");
  EXPECT_TRUE(service_.ReleaseAll());
  EXPECT_EQ(Limit("GPU-0"), kPrior);
  EXPECT_EQ(Limit("GPU-1"), kPrior);
}

TEST_F(LimitdServiceTest, QuotesInACommandDoNotMakeAnotherField) {
  Ask(1, "take GPU-0 x\" reason=set");
  Ask(1, "set GPU-0 200000");
  EXPECT_NE(AuditLine(audit_[0], Stamp{}).find("command=\"x' reason=set\""), std::string::npos);
}

/// A line as an attacker, or a broken client, may send it: true requests, requests with something wrong, noise.
std::string RandomLine(std::mt19937_64& random) {
  const auto below = [&](size_t n) { return random() % n; };
  static const std::vector<std::string> kVerbs = {"hello", "list",    "show", "take", "set",
                                                  "beat",  "release", "sett", ""};
  static const std::vector<std::string> kGpus = {"GPU-0", "GPU-1", "GPU-2", "GPU-3", "", "../GPU-0", "GPU-0 GPU-1"};
  static const std::vector<std::string> kNumbers = {
      "200000", "1",      "0",     "-1", "99999999", "100000001", "1e5", "150000", "18446744073709551616",
      " 1",     "320000", "320001"};
  if (below(10) == 0) {
    std::string noise(below(700), ' ');
    for (char& c : noise) c = static_cast<char>(random());
    return noise;
  }
  if (below(2) == 0) {
    const std::string gpu = kGpus[below(4)];
    const std::vector<std::string> sound = {
        "take " + gpu + " x", "set " + gpu + " " + std::to_string(1 + below(400'000)), "beat " + gpu, "release " + gpu};
    return sound[below(sound.size())];
  }
  std::string line = kVerbs[below(kVerbs.size())] + " " + kGpus[below(kGpus.size())];
  if (below(3) != 0) line += " " + kNumbers[below(kNumbers.size())];
  if (below(10) == 0) line[below(line.size())] = static_cast<char>(random());
  if (line.back() == ' ' && below(2) == 0) line.pop_back();
  return line;
}

TEST_F(LimitdServiceTest, RandomMessagesNeverSetALimitWithoutItsLease) {
  const char* asked = std::getenv("HELIOGRAD_MESSAGES");
  const long messages = asked == nullptr ? 1'000'000 : std::strtol(asked, nullptr, 10);
  std::mt19937_64 random(7);
  // Connection 1 holds GPU-0 throughout; 2 and 3 say anything.
  ASSERT_EQ(Ask(1, "take GPU-0 victim"), "ok 300000");
  ASSERT_EQ(Ask(1, "set GPU-0 222000"), "ok 222000 222000");
  std::map<std::string, LimitService::Connection> owners = {{"GPU-0", 1}};
  long sets = 0, takes = 0, refused = 0;
  for (long i = 0; i < messages; ++i) {
    const LimitService::Connection connection = 2 + static_cast<int64_t>(random() % 2);
    const std::string line = RandomLine(random);
    std::map<std::string, int> writes;
    for (const auto& [uuid, board] : hardware_.boards) writes[uuid] = board.writes;
    audit_.clear();
    const std::string reply = service_.Handle(connection, line);
    ASSERT_LE(reply.size(), 8 * kLongestFrame);
    ASSERT_EQ(reply.back(), '\n');
    const bool ok = reply.find("ok") == 0 && !line.empty();
    const Result<Request> request = ParseRequest(line);
    // Whatever was said: a limit was written only where this connection held the lease, by a well-formed request.
    for (const auto& [uuid, board] : hardware_.boards) {
      if (board.writes == writes[uuid]) continue;
      ++sets;
      ASSERT_TRUE(request && request->verb == Verb::kSet && request->uuid == uuid) << line;
      ASSERT_EQ(owners[uuid], connection) << line;
      ASSERT_EQ(audit_.size(), 1u);
    }
    ASSERT_EQ(Limit("GPU-0"), 222'000) << line;
    if (!ok) {
      ++refused;
    } else if (request && request->verb == Verb::kTake) {
      ++takes;
      ASSERT_EQ(owners[request->uuid], 0);
      owners[request->uuid] = connection;
    } else if (request && request->verb == Verb::kRelease) {
      ASSERT_EQ(owners[request->uuid], connection);
      owners[request->uuid] = 0;
      ASSERT_EQ(Limit(request->uuid), kPrior);
    }
    if (random() % 1000 == 0) {
      service_.Disconnect(connection);
      for (auto& [uuid, owner] : owners) {
        if (owner == connection) owner = 0;
      }
      service_.Connect(connection, {99, 99, 99});
    }
  }
  EXPECT_GT(sets, messages / 100);
  EXPECT_GT(takes, messages / 100);
  std::printf("%ld messages: %ld refused, %ld leases, %ld limits set, each by its holder\n", messages, refused, takes,
              sets);
  for (LimitService::Connection connection : {1, 2, 3}) service_.Disconnect(connection);
  for (const auto& [uuid, board] : hardware_.boards) EXPECT_EQ(board.limit_mw, kPrior) << uuid;
}

}  // namespace
}  // namespace heliograd::limitd
