// Ctrl-C as a flag that long work looks at between steps, so that what is finished is kept.
#pragma once

namespace heliograd {

/// From now on Ctrl-C (and SIGTERM) sets the flag instead of ending the program; a second Ctrl-C ends it at once.
void CatchInterrupts();
/// The same for work that ends by a command's end and has much to put in order after it: from now on no Ctrl-C ends the
/// program, however many come. Whoever runs the command passes them on.
void CatchEveryInterrupt();
/// How often Ctrl-C was pressed. Safe from any thread.
int Interrupts();
/// SIGHUP and SIGQUIT too, for work without a command that they could be passed on to.
void CatchHangUps();
/// From now on SIGUSR1 and SIGUSR2, by which batch systems warn a job, do not end this program: they are a command's,
/// and one sentence says that there is none to get them. Commands that are started have them as they were.
void KeepUserSignals();
/// True once Ctrl-C was pressed. Safe from any thread.
bool Interrupted();

/// While it lives, Ctrl-C (and SIGTERM) ends the program at once, from any solver, with "interrupted" on standard error
/// and code 130: for work of which nothing is kept. Afterwards CatchInterrupts() holds, so that a file is written
/// whole. One at a time; it may write no file.
class EndAtInterrupt {
 public:
  EndAtInterrupt();
  ~EndAtInterrupt();
  EndAtInterrupt(const EndAtInterrupt&) = delete;
  EndAtInterrupt& operator=(const EndAtInterrupt&) = delete;
};

}  // namespace heliograd
