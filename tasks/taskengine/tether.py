"""Become another program that dies with the process that started it.

Run as a script, by its path: ``python tether.py PARENT_PID PROGRAM [ARG ...]``.
It imports nothing of ours, so that it costs milliseconds. On Linux the kernel
kills the program when its parent ends in whatever way (``PR_SET_PDEATHSIG``,
which an ``exec`` keeps). Elsewhere there is no such promise: a parent that is
killed with SIGKILL leaves the program running.
"""

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent_pid: int, command: list[str]) -> None:
    """Tie this process to its parent, then become ``command``."""
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:
        sys.exit("the process that started this one has ended")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
