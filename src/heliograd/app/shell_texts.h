// The command line as shell completions and as a manual page, generated from its tree of commands and flags.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "heliograd/app/command_line.h"

namespace heliograd {

/// A script for the shell's own completion. Precondition: shell is "bash", "zsh" or "fish".
std::string CompletionScript(const CLI::App& program, const std::string& shell);
/// The manual page, in the language of man(7).
std::string ManualPage(const CLI::App& program);

/// Adds the hidden commands `completions bash|zsh|fish` and `man`, which print them.
void AddShellCommands(CLI::App& program, Commands& commands);

}  // namespace heliograd
