#include "heliograd/app/surroundings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace heliograd {
namespace {

namespace fs = std::filesystem;

/// Files of a system that is not there.
class System : public testing::Test {
 protected:
  System() : root_(fs::temp_directory_path() / ("surroundings_" + std::to_string(getpid()))) {
    fs::create_directories(root_);
  }
  ~System() override { fs::remove_all(root_); }

  void Put(const std::string& path, const std::string& content = "") {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << content;
  }
  void PutCard(const std::string& vendor, const std::string& kind, const std::string& driver = "") {
    const std::string folder = "sys/bus/pci/devices/0000:01:00." + std::to_string(cards_++);
    Put(folder + "/vendor", vendor + "\n");
    Put(folder + "/class", kind + "\n");
    if (!driver.empty()) fs::create_symlink("../../../bus/pci/drivers/" + driver, root_ / folder / "driver");
  }
  Surroundings Look() const { return LookAround(root_); }
  std::string Mend() const { return MendForMissingGpu(Look()); }

  fs::path root_;
  int cards_ = 0;
};

TEST_F(System, WithoutACardThereIsNothingToMend) {
  PutCard("0x8086", "0x030000", "i915");
  EXPECT_EQ(Look().nvidia_cards, 0);
  EXPECT_EQ(Mend(), "");
}

TEST_F(System, ACardWithoutADriver) {
  PutCard("0x10de", "0x030000");
  PutCard("0x10de", "0x040300", "snd_hda_intel");  // its sound
  EXPECT_EQ(Look().nvidia_cards, 1);
  EXPECT_NE(Mend().find("sudo modprobe nvidia"), std::string::npos);
}

TEST_F(System, ACardThatAnotherDriverHolds) {
  PutCard("0x10de", "0x030200", "nouveau");
  EXPECT_EQ(Look().card_driver, "nouveau");
  EXPECT_NE(Mend().find("nouveau holds the card"), std::string::npos);
  fs::remove_all(root_ / "sys");
  PutCard("0x10de", "0x030200", "vfio-pci");
  EXPECT_NE(Mend().find("virtual machine"), std::string::npos);
}

TEST_F(System, ADriverWithoutItsLibrary) {
  PutCard("0x10de", "0x030000", "nvidia");
  Put("proc/driver/nvidia/version", "NVRM version: 580.00");
  EXPECT_TRUE(Look().kernel_driver);
  EXPECT_NE(Mend().find("libnvidia-compute"), std::string::npos);
}

TEST_F(System, EachContainerHasItsCommand) {
  Put(".dockerenv");
  EXPECT_EQ(Look().container, Container::kDocker);
  EXPECT_NE(Mend().find("docker run --gpus all"), std::string::npos);
  EXPECT_NE(Mend().find("nvidia-container-toolkit"), std::string::npos);
  Put("run/.containerenv");
  EXPECT_NE(Mend().find("podman run --device nvidia.com/gpu=all"), std::string::npos);
  Put("proc/1/cgroup", "0::/kubepods.slice/kubepods-besteffort.slice\n");
  EXPECT_NE(Mend().find("nvidia.com/gpu: 1"), std::string::npos);
  EXPECT_NE(MendForMissingProcessor(Look()).find("/sys/class/powercap"), std::string::npos);
}

TEST_F(System, ContainersAreKnownByTheirControlGroupsToo) {
  Put("proc/1/cgroup", "12:pids:/docker/0123456789abcdef\n");
  EXPECT_EQ(Look().container, Container::kDocker);
  Put("proc/1/cgroup", "0::/machine.slice/libpod-0123.scope\n");
  EXPECT_EQ(Look().container, Container::kPodman);
  Put("proc/1/cgroup", "0::/lxc/web\n");
  EXPECT_EQ(Look().container, Container::kOther);
  Put("proc/1/cgroup", "0::/init.scope\n");
  EXPECT_EQ(Look().container, Container::kNone);
  EXPECT_NE(MendForMissingProcessor(Look()).find("sudo modprobe intel_rapl_msr"), std::string::npos);
}

TEST_F(System, LinuxInsideWindows) {
  Put("dev/dxg");
  EXPECT_NE(Mend().find("in Windows"), std::string::npos);
}

}  // namespace
}  // namespace heliograd
