#include "heliograd/feed/carbon_builtin.h"

// The assembler copies the file into the program as it is, which takes no time to compile or to start.
// HELIOGRAD_ITALY_CARBON is the file's path, set by the build.
asm(".pushsection .rodata\n"
    ".global heliograd_italy_carbon_begin\n"
    ".global heliograd_italy_carbon_end\n"
    "heliograd_italy_carbon_begin:\n"
    ".incbin \"" HELIOGRAD_ITALY_CARBON
    "\"\n"
    "heliograd_italy_carbon_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" {
extern const char heliograd_italy_carbon_begin[];
extern const char heliograd_italy_carbon_end[];
}

namespace heliograd {

std::string_view BuiltinItalyCarbon() { return {heliograd_italy_carbon_begin, heliograd_italy_carbon_end}; }

}  // namespace heliograd
