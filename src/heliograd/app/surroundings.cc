#include "heliograd/app/surroundings.h"

#include <cstdlib>
#include <filesystem>

#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"

namespace heliograd {
namespace {

namespace fs = std::filesystem;

bool Exists(const fs::path& path) {
  std::error_code failed;
  return fs::exists(path, failed);
}

/// A short file of the system; empty when it cannot be read.
std::string Content(const fs::path& path) {
  const auto content = ReadFile(path, 1 << 16);
  return content ? std::string(Trim(*content)) : std::string();
}

Container ContainerOf(const fs::path& root) {
  const std::string groups = Content(root / "proc/1/cgroup") + Content(root / "proc/self/cgroup");
  const auto mentions = [&](const char* word) { return groups.find(word) != std::string::npos; };
  if (Exists(root / "var/run/secrets/kubernetes.io") || mentions("kubepods")) return Container::kKubernetes;
  if (Exists(root / "run/.containerenv") || mentions("libpod")) return Container::kPodman;
  if (Exists(root / ".dockerenv") || mentions("/docker")) return Container::kDocker;
  if (mentions("/lxc") || mentions("containerd") || Exists(root / ".singularity.d")) return Container::kOther;
  return Container::kNone;
}

/// PCI vendor 0x10de is NVIDIA; classes 0x0300 and 0x0302 are displays and 3D controllers.
void FindCards(const fs::path& root, Surroundings& found) {
  const Result<std::vector<std::string>> cards = ListFolder(root / "sys/bus/pci/devices");
  for (const fs::path card : cards.value_or(std::vector<std::string>())) {
    const std::string kind = Content(card / "class");
    if (Content(card / "vendor") != "0x10de" || !(kind.starts_with("0x0300") || kind.starts_with("0x0302"))) {
      continue;
    }
    std::error_code unbound;
    const fs::path driver = fs::read_symlink(card / "driver", unbound);
    if (found.nvidia_cards++ == 0 && !unbound) found.card_driver = driver.filename();
  }
}

const char* const kToolkit =
    "on the host, once: install nvidia-container-toolkit, then `sudo nvidia-ctk runtime configure --runtime=docker && "
    "sudo systemctl restart docker`";

std::string MendInContainer(Container container) {
  switch (container) {
    case Container::kDocker:
      return std::string("start the container with `docker run --gpus all ...`; ") + kToolkit;
    case Container::kPodman:
      return "start the container with `podman run --device nvidia.com/gpu=all ...`; on the host, once: install "
             "nvidia-container-toolkit, then `sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`";
    case Container::kKubernetes:
      return "ask for a GPU in the pod (`resources: {limits: {nvidia.com/gpu: 1}}`); the node needs NVIDIA's device "
             "plugin";
    case Container::kOther:
      return "pass the GPU into the container: `apptainer exec --nv ...`, `docker run --gpus all ...`, or the devices "
             "/dev/nvidia* and the driver's libraries";
    case Container::kNone:
      break;
  }
  return {};
}

}  // namespace

Surroundings LookAround(const std::string& root) {
  const fs::path top(root);
  Surroundings found;
  found.container = ContainerOf(top);
  FindCards(top, found);
  found.kernel_driver = Exists(top / "proc/driver/nvidia/version");
  found.device_files = Exists(top / "dev/nvidiactl");
  found.windows_subsystem = Exists(top / "dev/dxg");
  found.powercap_masked = found.container != Container::kNone && !Exists(top / "sys/class/powercap/intel-rapl:0");
  return found;
}

std::string ContainerName(Container container) {
  switch (container) {
    case Container::kDocker:
      return "docker";
    case Container::kPodman:
      return "podman";
    case Container::kKubernetes:
      return "kubernetes";
    case Container::kOther:
      return "a container";
    case Container::kNone:
      break;
  }
  return {};
}

std::string MendForMissingGpu(const Surroundings& here) {
  if (here.container != Container::kNone) return MendInContainer(here.container);
  if (here.windows_subsystem) {
    return "install NVIDIA's driver in Windows (none inside Linux), then `wsl --shutdown` and start again";
  }
  if (here.kernel_driver) {
    return "the kernel driver is loaded: install its library of the same version (on Debian and Ubuntu "
           "`sudo apt install libnvidia-compute-VERSION`), see `cat /proc/driver/nvidia/version`";
  }
  if (here.card_driver == "nouveau") {
    return "the free driver nouveau holds the card and tells no power: install NVIDIA's (`sudo ubuntu-drivers "
           "install`, "
           "or `sudo apt install nvidia-driver`, or `sudo dnf install akmod-nvidia`), then reboot";
  }
  if (here.card_driver == "vfio-pci") {
    return "the card is reserved for a virtual machine (vfio-pci): run heliograd in that machine";
  }
  if (here.nvidia_cards > 0) {
    return "a card is there without a driver: `sudo modprobe nvidia`; if there is no such module, install it (`sudo "
           "ubuntu-drivers install`, or `sudo apt install nvidia-driver`, or `sudo dnf install akmod-nvidia`), then "
           "reboot";
  }
  return {};
}

std::string MendForMissingProcessor(const Surroundings& here) {
  if (here.container == Container::kKubernetes) {
    return "the pod must mount /sys/class/powercap of its node, with `securityContext: {procMount: Unmasked}`";
  }
  if (here.container != Container::kNone) {
    return "containers hide the counters: start it with `--security-opt systempaths=unconfined -v "
           "/sys/class/powercap:/sys/class/powercap:ro` (docker and podman)";
  }
  return "on a machine of one's own: `sudo modprobe intel_rapl_msr` (AMD too); virtual machines have none";
}

}  // namespace heliograd
