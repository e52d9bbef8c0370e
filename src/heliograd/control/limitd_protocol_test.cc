#include "heliograd/control/limitd_protocol.h"

#include <gtest/gtest.h>

#include <random>

namespace heliograd::limitd {
namespace {

const std::string kUuid = "GPU-51f7ac1e-0000-4000-8000-000000000000";

TEST(LimitdProtocol, RequestsComeBackAsTheyWereWritten) {
  for (const std::string& line : {std::string("hello 1"), std::string("list"), std::string("show"),
                                  "take " + kUuid + " heliograd run -- python train.py", "set " + kUuid + " 200000",
                                  "beat " + kUuid, "release " + kUuid}) {
    const Result<Request> request = ParseRequest(line);
    ASSERT_TRUE(request) << line;
    EXPECT_EQ(WriteRequest(*request), line + "\n");
  }
}

TEST(LimitdProtocol, EverythingElseIsRefusedWithOneSentence) {
  const std::vector<std::string> wrong = {"",
                                          " ",
                                          "list ",
                                          " list",
                                          "LIST",
                                          "hello",
                                          "hello 2",
                                          "set",
                                          "set " + kUuid,
                                          "set " + kUuid + " ",
                                          "set " + kUuid + " 0",
                                          "set " + kUuid + " -1",
                                          "set " + kUuid + " 200.5",
                                          "set " + kUuid + " 0200000",
                                          "set " + kUuid + " 200000 ",
                                          "set " + kUuid + "  200000",
                                          "set " + kUuid + " 100000001",
                                          "set " + kUuid + " 99999999999999999999",
                                          "set ../../etc 200000",
                                          "set GPU_1 200000",
                                          "take " + kUuid,
                                          "take " + kUuid + " ",
                                          "beat",
                                          "beat " + kUuid + " ",
                                          "beat " + std::string(97, 'a'),
                                          std::string("list\0", 5),
                                          "list\r",
                                          "take " + kUuid + " caf\xc3\xa9",
                                          "take " + kUuid + " " + std::string(600, 'x')};
  for (const std::string& line : wrong) {
    const Result<Request> request = ParseRequest(line);
    ASSERT_FALSE(request) << line;
    EXPECT_EQ(request.error().kind, ErrorKind::kUsage);
    EXPECT_EQ(request.error().problems.size(), 1u);
  }
}

TEST(LimitdProtocol, CommandsOfUsersFitIntoOneFrame) {
  const std::string line = WriteRequest({Verb::kTake, kUuid, 0, "tra\nin \xff" + std::string(1000, 'x')});
  EXPECT_EQ(line.size(), kLongestFrame);
  const Result<Request> request = ParseRequest(line.substr(0, line.size() - 1));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->command.substr(0, 8), "tra?in ?");
}

TEST(LimitdProtocol, RepliesComeBackAsTheyWereWritten) {
  const std::string gpu = WriteGpuLine({kUuid, 100'000, 320'000, 320'000, 300'000, "NVIDIA GeForce RTX 4070"});
  const auto read = ParseGpuLine(gpu.substr(0, gpu.size() - 1));
  ASSERT_TRUE(read);
  EXPECT_EQ(WriteGpuLine(*read), gpu);
  const std::string lease = WriteLeaseLine({kUuid, 300'000, 200'000, 4711, 1000, true, "2026-01-01T00:00:00Z", "a b"});
  const auto held = ParseLeaseLine(lease.substr(0, lease.size() - 1));
  ASSERT_TRUE(held);
  EXPECT_EQ(WriteLeaseLine(*held), lease);
  EXPECT_TRUE(held->restoring);
}

TEST(LimitdProtocol, ErrorsKeepTheirKind) {
  for (ErrorKind kind : {ErrorKind::kFailure, ErrorKind::kUsage, ErrorKind::kPermission, ErrorKind::kDevice}) {
    std::string line = WriteError({kind, {"first\nline", "second"}});
    line.pop_back();
    const Result<Reply> reply = ParseReply({line});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().kind, kind);
    EXPECT_EQ(reply.error().Message(), "first?line; second");
  }
  EXPECT_FALSE(ParseReply({}));
  EXPECT_FALSE(ParseReply({"gpu"}));
  EXPECT_EQ(ParseReply({"x", "ok 1 2"})->values, (std::vector<std::string>{"1", "2"}));
}

TEST(LimitdProtocol, EveryWordForWhatBecameOfALimitIsKnown) {
  for (Restored restored :
       {Restored::kPutBack, Restored::kNothingToDo, Restored::kMachineRestarted, Restored::kChangedByOther}) {
    EXPECT_EQ(RestoredFromWord(RestoredWord(restored)), restored);
  }
  EXPECT_FALSE(RestoredFromWord("gone"));
}

}  // namespace
}  // namespace heliograd::limitd
