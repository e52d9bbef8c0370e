#include "heliograd/meter/visible_devices.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

const std::vector<std::string> kUuids = {"GPU-8f3a0000-aaaa", "GPU-8f3b0000-bbbb", "GPU-12340000-cccc"};

TEST(VisibleDevices, FollowTheRulesOfCuda) {
  EXPECT_EQ(*SelectVisibleDevices("0,2", kUuids), (std::vector{0, 2}));
  EXPECT_EQ(*SelectVisibleDevices("2, 0", kUuids), (std::vector{2, 0}));
  EXPECT_EQ(*SelectVisibleDevices("1,7,0", kUuids), std::vector{1});  // ends at the first that does not exist
  EXPECT_EQ(*SelectVisibleDevices("-1,0", kUuids), std::vector<int>{});
  EXPECT_EQ(*SelectVisibleDevices("", kUuids), std::vector<int>{});
  EXPECT_EQ(*SelectVisibleDevices("none", kUuids), std::vector<int>{});
  EXPECT_EQ(*SelectVisibleDevices("GPU-12", kUuids), std::vector{2});
  EXPECT_EQ(*SelectVisibleDevices("gpu-8F3B", kUuids), std::vector{1});
  EXPECT_EQ(*SelectVisibleDevices("1,1", kUuids), std::vector{1});
}

TEST(VisibleDevices, AMigDeviceIsItsBoard) {
  EXPECT_EQ(*SelectVisibleDevices("MIG-GPU-12340000-cccc/1/0", kUuids), std::vector{2});
  EXPECT_FALSE(SelectVisibleDevices("MIG-c6d4f1ef-42e4", kUuids));
}

TEST(VisibleDevices, RefuseWhatFitsNoneOrSeveral) {
  EXPECT_FALSE(SelectVisibleDevices("GPU-8f", kUuids));
  EXPECT_FALSE(SelectVisibleDevices("first", kUuids));
  EXPECT_FALSE(SelectVisibleDevices("0;1", kUuids));
}

}  // namespace
}  // namespace heliograd
