#include "heliograd/control/lease_record.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

LeaseRecord Example() {
  return {"GPU-1", 300'000, 150'000, 300'000, 4711, "heliograd measure -- a\nb", "boot-1", "2026-11-24T17:00:00Z"};
}

TEST(LeaseRecord, ComesBackAsItWasWrittenInOneLineEach) {
  const Result<LeaseRecord> read = ParseLease(WriteLease(Example()), "x.lease");
  ASSERT_TRUE(read) << read.error().Message();
  EXPECT_EQ(read->uuid, "GPU-1");
  EXPECT_EQ(read->prior_mw, 300'000);
  EXPECT_EQ(read->set_mw, 150'000);
  EXPECT_EQ(read->pid, 4711);
  EXPECT_EQ(read->command, "heliograd measure -- a b");
  EXPECT_EQ(read->boot, "boot-1");
}

TEST(LeaseRecord, KnowsWhichLimitsAreItsOwn) {
  const LeaseRecord record = Example();
  EXPECT_TRUE(record.IsOurs(150'000));   // set
  EXPECT_TRUE(record.IsOurs(300'000));   // written down, but killed before it was set
  EXPECT_FALSE(record.IsOurs(170'000));  // someone else's
}

TEST(LeaseRecord, RefusesWhatIsCutShort) {
  const std::string whole = WriteLease(Example());
  // Up to the first digit of the last number that is needed: a number that is cut later is another number.
  for (size_t length = 0; length < whole.find("pid=") + 4; ++length) {
    const Result<LeaseRecord> read = ParseLease(whole.substr(0, length), "x.lease");
    ASSERT_FALSE(read) << length;
    EXPECT_NE(read.error().Message().find("x.lease"), std::string::npos);
  }
}

TEST(LeaseRecord, BootIdIsThatOfTheKernel) { EXPECT_EQ(BootId(), BootId()); }

}  // namespace
}  // namespace heliograd
