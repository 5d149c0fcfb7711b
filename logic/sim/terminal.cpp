// A pseudo-terminal for the simulation of a device: what the program at its other
// end writes goes to the device, and back.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

static int terminal = -1;

// Opens the terminal and prints its name.
extern "C" void terminal_open() {
    struct termios mode;
    terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal)) {
        perror("posix_openpt");
        exit(1);
    }
    // An open end of our own: without one, reading fails while no program is there.
    int other = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    if (other < 0 || tcgetattr(other, &mode)) {
        perror(ptsname(terminal));
        exit(1);
    }
    mode.c_iflag = 0;
    mode.c_oflag = 0;
    mode.c_lflag = 0;
    tcsetattr(other, TCSANOW, &mode);
    printf("terminal %s\n", ptsname(terminal));
    fflush(stdout);
}

// The next byte, or -1 while no byte is waiting.
extern "C" int terminal_read() {
    unsigned char byte;
    return read(terminal, &byte, 1) == 1 ? byte : -1;
}

extern "C" void terminal_write(int byte) {
    unsigned char bytes[1] = {(unsigned char)byte};
    while (write(terminal, bytes, 1) < 0 && errno == EAGAIN) {
        usleep(1000);
    }
}
