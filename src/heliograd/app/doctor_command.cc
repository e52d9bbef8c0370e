// `heliograd doctor`: what can be measured, limited and drawn on this machine, and the exact mend for what cannot.
#include <memory>

#include "heliograd/app/command_line.h"
#include "heliograd/app/doctor_checks.h"
#include "heliograd/report/terminal_style.h"
#include "heliograd/report/text_table.h"

namespace heliograd {
namespace {

using Json = nlohmann::ordered_json;

std::string AsJson(const std::vector<Finding>& findings, const Surroundings& here) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    Json json = {
        {"what", finding.what}, {"usable", finding.usable}, {"detail", finding.detail}, {"mend", finding.mend}};
    json.update(finding.facts);
    list.push_back(std::move(json));
  }
  return Json{{"findings", std::move(list)}, {"container", ContainerName(here.container)}}.dump(2) + "\n";
}

std::string AsText(const std::vector<Finding>& findings, const TerminalStyle& style) {
  std::string text;
  for (const Finding& finding : findings) {
    text += Paragraph((finding.usable ? "yes " : "no ") + finding.what + ": " + finding.detail, style, 4);
    if (!finding.mend.empty()) text += "    " + Paragraph("mend: " + finding.mend, style, 10);
  }
  return text + "Next: `heliograd measure -- COMMAND` measures, `heliograd plan builtin:paper` plans.\n";
}

}  // namespace

void AddDoctorCommand(CLI::App& program, Commands& commands) {
  CLI::App* app =
      AddCommand(program, "doctor", "Says what can be measured, limited and drawn here, and how to mend the rest",
                 {"heliograd doctor", "heliograd doctor --json"});
  auto json = std::make_shared<bool>(false);
  app->add_flag("--json", *json, "machine-readable output");
  commands.push_back({app, [json]() -> Result<int> {
                        const Surroundings here = LookAround();
                        std::vector<Finding> findings;
                        CheckGpus(here, findings);
                        CheckProcessor(here, findings);
                        CheckLimitService(findings);
                        CheckRecords(findings);
                        CheckPrograms(findings);
                        const std::string text = *json ? AsJson(findings, here) : AsText(findings, DetectTerminal(1));
                        if (Result<void> done = Print(text); !done) return Fail(done.error());
                        return kExitOk;
                      }});
}

}  // namespace heliograd
