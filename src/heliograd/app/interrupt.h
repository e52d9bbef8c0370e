// Ctrl-C as a flag that long work looks at between steps, so that what is finished is kept.
#pragma once

namespace heliograd {

/// From now on Ctrl-C (and SIGTERM) sets the flag instead of ending the program; a second Ctrl-C ends it at once.
void CatchInterrupts();
/// True once Ctrl-C was pressed. Safe from any thread.
bool Interrupted();

}  // namespace heliograd
