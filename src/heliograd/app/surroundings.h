// Where the program runs, as far as it decides how a missing GPU is mended: container or not, card, kernel driver.
//
// Enters: files of the system. Leaves: plain facts and the commands that mend. Loads no driver and changes nothing.
#pragma once

#include <string>

namespace heliograd {

enum class Container { kNone, kDocker, kPodman, kKubernetes, kOther };

struct Surroundings {
  Container container = Container::kNone;
  int nvidia_cards = 0;        // on the PCI bus
  std::string card_driver;     // kernel driver that holds the first of them: "nvidia", "nouveau", "vfio-pci"; or empty
  bool kernel_driver = false;  // NVIDIA's kernel driver is loaded
  bool device_files = false;   // /dev/nvidiactl is there
  bool windows_subsystem = false;  // WSL 2, whose GPU comes from the Windows driver
  bool powercap_masked = false;    // a container hides the processor's counters
};

/// Looks at the system whose files lie under `root`.
Surroundings LookAround(const std::string& root = "/");

/// "docker", "podman", "kubernetes", "a container"; empty outside.
std::string ContainerName(Container container);

/// The commands that bring a GPU here which no driver library, no driver or no device shows; empty when there is no
/// card to bring.
std::string MendForMissingGpu(const Surroundings& surroundings);
/// The commands that show the processor's energy counters.
std::string MendForMissingProcessor(const Surroundings& surroundings);

}  // namespace heliograd
