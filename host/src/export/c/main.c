/* Written by rate2spike: the self-test of the network in network.c.
 *
 * Build it for this machine, and run it:
 *     cc main.c network.c librate2spike.a -o self_test && ./self_test
 * For a chip, take the archive of its processor and your start-up code.
 */
#include <stdio.h>

#include "network.h"
#include "rate2spike.h"

/* Aligned for every member of the network; the library takes any address. */
static uint64_t memory[NETWORK_MEMORY_BYTES / 8];

static int failed(const char *where, r2s_status status) {
    printf("%s: %s: %s\n", where, r2s_status_name(status), r2s_status_text(status));
    return 1;
}

int main(void) {
    r2s_network *network;
    r2s_description about;
    r2s_status status = r2s_open(NETWORK, NETWORK_BYTES, (uint8_t *)memory, sizeof memory, &network);
    if (status != R2S_OK) return failed("r2s_open", status);
    status = r2s_describe(network, &about);
    if (status != R2S_OK) return failed("r2s_describe", status);
    printf("%u units, %u channels, %u outputs, %lu synapses\n", about.units, about.channels,
           about.outputs, (unsigned long)about.synapses);
    status = r2s_self_test(network);
    if (status != R2S_OK) return failed("r2s_self_test", status);
    printf("EQUAL: the spikes are those stored with the network\n");
    return 0;
}
